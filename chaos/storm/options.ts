import { Command, InvalidArgumentError, Option } from 'commander';
import { ENGINES } from '../../test/engine/support/tsnet-host.ts';
import type { Generation } from '../../test/lab/engines.ts';

/** How large a storm is. */
export interface StormPlan {
  /** Half on a bridge network, half on a macvlan network; every fourth has a published port. */
  readonly containers: number;
  readonly rounds: number;
  /** Containers that are started, then removed, at the same time. */
  readonly atOnce: number;
  /** After so many rounds the daemon is left alone until it has given back what it does not need; 0: never. */
  readonly restEvery: number;
}

export interface StormOptions extends StormPlan {
  readonly engine: readonly Generation[];
}

export const FULL_STORM: StormPlan = { containers: 200, rounds: 20, atOnce: 10, restEvery: 5 };

/** Half of them is what the macvlan network's range has addresses for. */
const MOST_CONTAINERS = 240;

/** @param argv as of the process; what is wrong with it ends the process with a word */
export function readOptions(argv: readonly string[]): StormOptions {
  return new Command('chaos/storm/storm.ts')
    .description('starts and removes many containers many times, and watches what the daemon keeps of it')
    .option(
      '--containers <number>',
      'containers of a round',
      count(2, MOST_CONTAINERS),
      FULL_STORM.containers,
    )
    .option('--rounds <number>', 'how often they come and go', count(1), FULL_STORM.rounds)
    .option(
      '--at-once <number>',
      'containers started or removed at the same time',
      count(1),
      FULL_STORM.atOnce,
    )
    .option(
      '--rest-every <number>',
      'rounds until the daemon is left alone and measured at rest, 0: never',
      count(0),
      FULL_STORM.restEvery,
    )
    .addOption(
      new Option('--engine <generation...>', 'engines, one after the other')
        .choices(['20.10', '26', '28'])
        .default(ENGINES),
    )
    .parse(argv)
    .opts<StormOptions>();
}

function count(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return text => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`a whole number from ${least}${most < 1e9 ? ` to ${most}` : ''}.`);
    }
    return value;
  };
}
