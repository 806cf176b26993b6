/**
 * How long `network connect` and `network disconnect` of a running container take, tsnet beside Docker's own drivers
 * and beside a driver that does nothing. Absolute figures are the machine's; the ratios carry over.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, release } from 'node:os';
import { dirname, join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Generation } from '../test/lab/engines.ts';
import { type EngineReport, measureEngine } from './measure-engine.ts';
import { tables } from './table.ts';

const JSON_FILE = join(import.meta.dirname, '../dist/bench/connect.json');

const program = new Command('bench/connect.ts')
  .description('times network connect and disconnect through the Engine API')
  .option('--rounds <number>', 'rounds, the cases interleaved within each', count, 5)
  .option('--connects <number>', 'connects and disconnects of each case in each round', count, 20)
  .addOption(
    new Option('--engine <generation...>', 'engines to measure')
      .choices(['20.10', '28'])
      .default(['20.10', '28']),
  )
  .option('--json <file>', 'where the figures go', JSON_FILE)
  .parse();
const options = program.opts<{ rounds: number; connects: number; engine: Generation[]; json: string }>();

const { rounds, connects } = options;
const machine = {
  date: new Date().toISOString(),
  kernel: release(),
  cores: availableParallelism(),
  node: process.version,
  load: loadavg()[0],
};
console.log(
  `network connect and disconnect of a running container, through the Engine API's Unix socket\n` +
    `${machine.date.slice(0, 10)}, Linux ${machine.kernel}, ${machine.cores} cores, Node ${machine.node}; ` +
    `${rounds} rounds of ${connects} of each, interleaved; load before: ${machine.load?.toFixed(1)}\n` +
    '`rounds`: smallest and largest median of a round; ÷: ratio of medians, below 1 is faster; ' +
    '`settled`: until the kernel has deleted all, after the last disconnect\n',
);
const reports: EngineReport[] = [];
for (const engine of options.engine) {
  const report = await measureEngine(engine, options, round => {
    process.stderr.write(round === 0 ? `engine ${engine}: warm-up` : `, round ${round} of ${rounds}`);
  });
  process.stderr.write('\n');
  console.log(tables(report));
  reports.push(report);
}
await mkdir(dirname(options.json), { recursive: true });
await writeFile(options.json, `${JSON.stringify({ ...machine, rounds, connects, reports }, undefined, 2)}\n`);
console.log(`figures: ${options.json}`);

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a whole number from 1.');
  return value;
}
