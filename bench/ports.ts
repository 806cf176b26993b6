/**
 * How long a container lives that does nothing, from its creation to its removal, by the number of ports that it
 * publishes: tsnet's bridge beside Docker's own. Absolute figures are the machine's; the ratios carry over.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, release } from 'node:os';
import { dirname, join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Generation } from '../test/lab/engines.ts';
import { COSTLY, measurePorts, type PortReport } from './measure-ports.ts';
import { portTables } from './ports-table.ts';

/** Numbers of ports. */
const DEFAULT: readonly number[] = [0, 1, 10, 50, 200];
const JSON_FILE = join(import.meta.dirname, '../dist/bench/ports.json');

const program = new Command('bench/ports.ts')
  .description(
    'times create, start, stop and remove of a container with published ports through the Engine API',
  )
  .option('--rounds <number>', 'rounds, the cases interleaved within each', count(1), 5)
  .option('--lives <number>', 'lives of each case in each round', count(1), 4)
  .option('--ports <number...>', 'numbers of published ports', counts, DEFAULT)
  .addOption(
    new Option('--engine <generation...>', 'engines to measure').choices(['20.10', '28']).default(['28']),
  )
  .option('--json <file>', 'where the figures go', JSON_FILE)
  .parse();
const options = program.opts<{
  rounds: number;
  lives: number;
  ports: number[];
  engine: Generation[];
  json: string;
}>();

const { rounds, lives, ports } = options;
const machine = {
  date: new Date().toISOString(),
  kernel: release(),
  cores: availableParallelism(),
  node: process.version,
  load: loadavg()[0],
};
console.log(
  `life of an idle container, create + start + stop + remove, through the Engine API's Unix socket\n` +
    `${machine.date.slice(0, 10)}, Linux ${machine.kernel}, ${machine.cores} cores, Node ${machine.node}; ` +
    `${rounds} rounds of ${lives} of each, interleaved; load before: ${machine.load?.toFixed(1)}\n` +
    `the builtin with ${COSTLY} ports or more: one life a round; every port is first reached from the LAN\n` +
    '`rounds`: smallest and largest median of a round; ÷: ratio of medians, below 1 is faster\n',
);
const reports: PortReport[] = [];
for (const engine of options.engine) {
  const report = await measurePorts(engine, options, round => {
    process.stderr.write(round === 0 ? `engine ${engine}: check` : `, round ${round} of ${rounds}`);
  });
  process.stderr.write('\n');
  console.log(portTables(report));
  reports.push(report);
}
await mkdir(dirname(options.json), { recursive: true });
await writeFile(
  options.json,
  `${JSON.stringify({ ...machine, rounds, lives, ports, reports }, undefined, 2)}\n`,
);
console.log(`figures: ${options.json}`);

function count(least: number): (text: string) => number {
  return text => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least)
      throw new InvalidArgumentError(`a whole number from ${least}.`);
    return value;
  };
}

/** Ascending, each once; the first replaces the default. */
function counts(text: string, before: readonly number[]): number[] {
  const given = before === DEFAULT ? [] : before;
  return [...new Set([...given, count(0)(text)])].sort((a, b) => a - b);
}
