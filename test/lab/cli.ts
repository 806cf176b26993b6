/** The lab by hand: `node test/lab/cli.ts up --engines 20.10,28`, see `--help`. Needs root. */
import { Command, InvalidArgumentError } from 'commander';
import type { Generation } from './engines.ts';
import type { Host } from './host.ts';
import { Lab } from './lab.ts';
import type { LabNode } from './node.ts';
import { labName } from './paths.ts';
import { findLabs } from './remove.ts';

const GENERATIONS: readonly string[] = ['20.10', '26', '28', 'newest'] satisfies Generation[];
const program = new Command('lab').description('Throwaway Docker hosts on one machine');
program.option('-l, --lab <name>', 'which lab, when there are several').enablePositionalOptions();

/** The lab that the commands are about. */
async function current(): Promise<Lab> {
  const wanted = program.opts<{ lab?: string }>().lab;
  const labs = findLabs().filter(({ dir, state }) => state?.detached && (!wanted || labName(dir) === wanted));
  const [lab] = labs;
  if (lab === undefined)
    throw new Error(wanted ? `there is no lab ${wanted}` : 'there is no lab; make one: up');
  if (labs.length > 1)
    throw new Error(`which one? --lab ${labs.map(({ dir }) => labName(dir)).join(', --lab ')}`);
  return Lab.attach(lab.dir);
}

async function host(index: string): Promise<Host> {
  return (await current()).host(Number(index) - 1);
}

/** Hands the terminal to a command, and its exit status to the caller. */
async function run(node: LabNode, [file = 'bash', ...args]: string[]): Promise<void> {
  const result = await node.exec(file, args, { reject: false, stdio: 'inherit', env: terminal() });
  process.exitCode = result.exitCode ?? 1;
}

function terminal(): Record<string, string> {
  return { TERM: process.env['TERM'] ?? 'dumb' };
}

function parseEngines(text: string): Generation[] {
  const names = text.split(',');
  const unknown = names.find(name => !GENERATIONS.includes(name));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`'${unknown}' is none of ${GENERATIONS.join(', ')}`);
  return names as Generation[];
}

program
  .command('up')
  .description('boot hosts; they stay until `down`')
  .option('-e, --engines <list>', 'one Docker Engine generation a host', parseEngines, ['20.10'])
  .option('-d, --disk <kind>', 'tmpfs, or dir: survives crash and boot', 'dir')
  .option('-n, --nics <number>', 'network cards of each host', Number, 1)
  .option('-b, --bind <path...>', 'share a path of this machine with all nodes')
  .action(
    async (options: { engines: Generation[]; disk: 'tmpfs' | 'dir'; nics: number; bind?: string[] }) => {
      const lab = await Lab.create({
        hosts: options.engines.map(engine => ({ engine })),
        disk: options.disk,
        nics: options.nics,
        binds: options.bind ?? [],
        detached: true,
      });
      await Promise.all(lab.hosts.map(one => one.loadImage()));
      await status(lab);
    },
  );

program
  .command('down')
  .description('remove the lab without a trace')
  .action(async () => (await current()).destroy());

program
  .command('status')
  .description('the hosts, their addresses and engines')
  .action(async () => status(await current()));

async function status(lab: Lab): Promise<void> {
  console.log(`${lab.name}: LAN node ${lab.lan.isUp ? 'up' : 'down'}`);
  for (const one of lab.hosts) {
    const answer = one.isUp ? await one.api('GET', '/version').catch(() => undefined) : undefined;
    const version = (answer?.body as { Version?: string } | undefined)?.Version ?? 'down';
    console.log(
      `${one.name}  ${one.isUp ? 'up  ' : 'down'}  ${one.address}  ${one.address6}  engine ${version}`,
    );
  }
}

const passing = (name: string, description: string) =>
  program.command(name).description(description).passThroughOptions().allowUnknownOption();

passing('sh <host> [command...]', 'run a command on a host as root (default: a shell)').action(
  async (index: string, command: string[]) => run(await host(index), command),
);
passing('lan [command...]', 'run a command on the LAN node').action(async (command: string[]) =>
  run((await current()).lan, command),
);
passing('docker <host> [arguments...]', 'the docker client against a host').action(
  async (index: string, args: string[]) => {
    const result = await (await host(index)).dockerWith({ stdio: 'inherit' }, ...args);
    process.exitCode = result.exitCode ?? 1;
  },
);
passing('start <host> [arguments...]', 'start dockerd, with further arguments').action(
  async (index: string, args: string[]) => (await host(index)).startEngine(args),
);

program
  .command('stop <host> [signal]')
  .description('stop dockerd: TERM (default) or KILL')
  .action(async (index: string, signal = 'TERM') => {
    if (signal !== 'TERM' && signal !== 'KILL') throw new Error('the signal is TERM or KILL');
    await (await host(index)).stopEngine(signal);
  });

program
  .command('crash <host>')
  .description('power loss: every process of the host dies at once')
  .action(async (index: string) => (await host(index)).crash());

program
  .command('boot <host>')
  .description('switch a crashed host on again')
  .action(async (index: string) => (await host(index)).boot());

program
  .command('cut <host> [nic]')
  .description('pull a LAN cable')
  .action(async (index: string, nic = '0') => (await host(index)).cut(Number(nic)));

program
  .command('heal <host> [nic]')
  .description('plug a LAN cable in again')
  .action(async (index: string, nic = '0') => (await host(index)).heal(Number(nic)));

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
