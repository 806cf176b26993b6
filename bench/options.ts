import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { ENGINES } from '../test/engine/support/tsnet-host.ts';
import type { Generation } from '../test/lab/engines.ts';
import { DEFAULT_PLAN, type Plan } from './plan.ts';
import { MEASURE_NAMES, type MeasureName } from './report.ts';

const OUTPUT = join(import.meta.dirname, '../dist/bench');

export interface BenchOptions {
  readonly engine: readonly Generation[];
  readonly measures: readonly MeasureName[];
  readonly plan: Plan;
  readonly json: string;
  readonly svg: string;
  /** Figures of earlier runs, of an engine each, that are shown instead of new ones. */
  readonly from?: readonly string[];
  readonly targets: boolean;
}

/** @param argv as of the process; what is wrong with it ends the process with a word */
export function readOptions(argv: readonly string[]): BenchOptions {
  const { rounds, connects, lives, ports, networks, containers } = DEFAULT_PLAN;
  const program = new Command('bench/bench.ts')
    .description("times tsnet beside Docker's own drivers, through the Engine API")
    .option('--rounds <number>', 'rounds, the cases interleaved within each', count(1), rounds)
    .addOption(
      new Option('--engine <generation...>', 'engines to measure')
        .choices(['20.10', '26', '28'])
        .default(ENGINES),
    )
    .addOption(
      new Option('--measures <name...>', 'what to measure').choices(MEASURE_NAMES).default(MEASURE_NAMES),
    )
    .option('--connects <number>', 'connect: of each case in each round', count(1), connects)
    .option('--lives <number>', 'life: of each case in each round', count(1), lives)
    .option('--ports <number...>', 'life: numbers of published ports', counts(ports), ports)
    .option('--networks <number>', 'network: of each case in each round', count(1), networks)
    .option('--containers <number>', 'storm: containers at once', count(1), containers)
    .option('--json <file>', 'where the figures go', join(OUTPUT, 'bench.json'))
    .option('--svg <file>', 'where the chart goes', join(OUTPUT, 'bench.svg'))
    .option('--from <file...>', 'measure nothing: show the figures of these files together, and draw them')
    .option('--targets', 'also print what is reached of what was aimed at', false)
    .parse(argv);
  const given = program.opts<Omit<BenchOptions, 'plan'> & Plan>();
  const { engine, measures, json, svg, from, targets, ...rest } = given;
  return { engine, measures, json, svg, targets, plan: rest, ...(from === undefined ? {} : { from }) };
}

function count(least: number): (text: string) => number {
  return text => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least)
      throw new InvalidArgumentError(`a whole number from ${least}.`);
    return value;
  };
}

/** Ascending, each once; the first given replaces the default. */
function counts(initial: readonly number[]): (text: string, before: readonly number[]) => number[] {
  return (text, before) => {
    const given = before === initial ? [] : before;
    return [...new Set([...given, count(0)(text)])].sort((a, b) => a - b);
  };
}
