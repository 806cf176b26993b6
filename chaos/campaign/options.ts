import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Generation } from '../../test/lab/engines.ts';

import { KINDS } from './plan-faults.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface CampaignOptions {
  readonly seed: number;
  readonly minutes: number;
  /** No more rounds than this, however much time is left. */
  readonly rounds: number;
  readonly engine: Generation;
  /** Operations in a round, and at once. */
  readonly operations: number;
  readonly workers: number;
  readonly containers: number;
  /** Kinds of faults that are struck. */
  readonly faults: readonly string[];
  /** tsnet's executable. */
  readonly program: string;
  /** Where the history goes, and the host's state when a promise was not kept. */
  readonly output: string;
  /** Whether the engine's starts are compared with those of one without tsnet. */
  readonly bootTimes: boolean;
  /** Whether to go on with a new host when a promise was not kept. */
  readonly keepGoing: boolean;
}

/** @param argv as of the process; what is wrong with it ends the process with a word */
export function readOptions(argv: readonly string[]): CampaignOptions {
  return new Command('chaos/chaos.ts')
    .description(
      'random operations and faults on a throwaway Docker host with tsnet, and a judge after each round',
    )
    .option('--seed <number>', 'what the choices follow from', whole(0), 1)
    .option('--minutes <number>', 'how long', Number, 30)
    .option('--rounds <number>', 'no more rounds than this', whole(1), Number.MAX_SAFE_INTEGER)
    .addOption(
      new Option('--engine <generation>', 'of the host')
        .choices(['20.10', '26', '28', 'newest'])
        .default('newest'),
    )
    .option('--operations <number>', 'in a round', whole(1), 12)
    .option('--workers <number>', 'operations at once', whole(1), 4)
    .option('--containers <number>', 'at most', whole(1), 15)
    .addOption(new Option('--faults <kind...>', 'only these').choices(KINDS).default(KINDS, 'all'))
    .option('--program <file>', "tsnet's executable", join(ROOT, 'dist/tsnet'))
    .option('--output <dir>', 'where the history goes', join(ROOT, 'dist/chaos'))
    .option('--no-boot-times', "do not compare the engine's starts with those of one without tsnet")
    .option('--keep-going', 'go on with a new host when a promise was not kept', false)
    .parse(argv)
    .opts<CampaignOptions>();
}

function whole(least: number): (text: string) => number {
  return text => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least)
      throw new InvalidArgumentError(`a whole number from ${least}.`);
    return value;
  };
}
