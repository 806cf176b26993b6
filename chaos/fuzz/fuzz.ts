import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { Campaign } from './campaign.ts';
import { FakeTarget } from './fake-target.ts';
import { isInside, runAgain } from './real/namespace.ts';
import { RealTarget } from './real/real-target.ts';
import { isClean, render } from './report.ts';
import { Watchdog } from './watchdog.ts';

const PROGRAM = join(import.meta.dirname, '../../dist/tsnet');

const wholeNumber = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number is wanted');
  return Number(text);
};

interface Options {
  readonly requests: number;
  readonly seed: number;
  readonly real?: true;
  readonly program: string;
  readonly quiet?: true;
}

const options = new Command('fuzz')
  .description(
    'Sends generated requests to tsnet and judges every answer. Ends with 1 when it has found something.',
  )
  .option('--requests <count>', 'how many', wholeNumber, 10_000)
  .option('--seed <number>', 'the same one gives the same requests', wholeNumber, 1)
  .option(
    '--real',
    'to the daemon on the kernel of a namespace of its own, instead of the app on a fake one (root)',
  )
  .option('--program <path>', 'the daemon, with --real', PROGRAM)
  .option('--quiet', 'the report alone')
  .parse()
  .opts<Options>();

/** Interrupted, it reports what it has done until then. */
async function run({ requests, seed, real, program, quiet }: Options): Promise<boolean> {
  const say = (text: string): void => void process.stdout.write(text);
  // Traces are for reading; ten lines of one for every refusal cost more than the refusal.
  Error.stackTraceLimit = 4;
  await using target = real === true ? await RealTarget.open(program) : await FakeTarget.open();
  const watchdog = new Watchdog();
  const onProgress = (done: number) => {
    if (quiet !== true) say(`fuzz: ${done} requests\n`);
  };
  const campaign = new Campaign(target, { requests, seed, watchdog, onProgress });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => campaign.stop());
  const report = await campaign.run();
  await watchdog.close();
  say(render(report));
  return isClean(report);
}

process.exitCode =
  options.real === true && !isInside() ? await runAgain(import.meta.filename) : (await run(options)) ? 0 : 1;
