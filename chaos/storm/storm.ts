/**
 * A storm: many containers come and go, many times, several at a time, on a bridge and a macvlan network, with published
 * ports. Nothing may fail, nothing may be left, and the daemon may not grow.
 */
import { readOptions } from './options.ts';
import { roundText, stormText } from './report.ts';
import { runStorm } from './run-storm.ts';
import { faultsOf } from './verdict.ts';

const { engine: engines, ...plan } = readOptions(process.argv);
for (const engine of engines) {
  const outcome = await runStorm(engine, plan, round => void process.stderr.write(`${roundText(round)}\n`));
  process.stdout.write(`${stormText(outcome)}\n`);
  if (faultsOf(outcome).length > 0) process.exitCode = 1;
}
