/**
 * What packets cost that go through tsnet's networks, beside those through Docker's own: throughput and latency of a
 * TCP stream, and connections a second. Absolute figures are the machine's; the ratios carry over.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { ENGINES } from '../../test/engine/support/tsnet-host.ts';
import type { Generation } from '../../test/lab/engines.ts';
import { machineText, thisMachine } from '../machine.ts';
import { type DatapathReport, measureDatapath } from './measure.ts';
import { datapathTables } from './tables.ts';

const JSON_FILE = join(import.meta.dirname, '../../dist/bench/datapath.json');

const program = new Command('bench/datapath/datapath.ts')
  .description('measures throughput, latency and connections a second of containers')
  .option('--rounds <number>', 'rounds, the cases one after the other in each', count, 5)
  .option('--slices <number>', 'slices of each case in each round, the drivers in turn', count, 4)
  .option('--ms <number>', 'milliseconds of a slice', count, 200)
  .addOption(
    new Option('--engine <generation...>', 'engines to measure')
      .choices(['20.10', '26', '28'])
      .default(ENGINES.slice(-1)),
  )
  .option('--json <file>', 'where the figures go', JSON_FILE)
  .parse();
const options = program.opts<{
  rounds: number;
  slices: number;
  ms: number;
  engine: Generation[];
  json: string;
}>();

const { rounds, slices, ms } = options;
const machine = thisMachine();
console.log(
  `One TCP stream; a request of 16 bytes and its answer; connect, request, answer and end, one after the other\n` +
    `${machineText(machine)}\n` +
    `${rounds} rounds of ${slices} slices of ${ms} ms each; load before: ${machine.load.toFixed(1)}\n` +
    '`p90`: nine of ten slices were as good or better; `rounds`: smallest and largest median of a round;\n' +
    '`builtin`: on the host that tsnet serves, `builtin alone`: on one without tsnet;\n' +
    '×: how many times as good as that tsnet is, so that above 1 is better, of latencies too\n',
);
const reports: DatapathReport[] = [];
for (const engine of options.engine) {
  const report = await measureDatapath(engine, options, what => process.stderr.write(`${what}; `));
  process.stderr.write('\n');
  console.log(datapathTables(report));
  reports.push(report);
}
await mkdir(dirname(options.json), { recursive: true });
await writeFile(options.json, `${JSON.stringify({ machine, rounds, slices, ms, reports }, undefined, 2)}\n`);
console.log(`figures: ${options.json}`);

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a whole number from 1.');
  return value;
}
