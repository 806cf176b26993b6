/** How much is measured. */
export interface Plan {
  /** Rounds, the cases of a measure interleaved within each. */
  readonly rounds: number;
  /** `connect`: connects and disconnects of each case in each round. */
  readonly connects: number;
  /** `life`: lives of each case in each round. */
  readonly lives: number;
  /** `life`: numbers of published ports, ascending. */
  readonly ports: readonly number[];
  /** `network`: networks created and deleted of each case in each round. */
  readonly networks: number;
  /** `storm`: containers that are connected at once. */
  readonly containers: number;
}

export const DEFAULT_PLAN: Plan = {
  rounds: 5,
  connects: 15,
  lives: 3,
  ports: [0, 1, 50, 200, 1000],
  networks: 6,
  containers: 50,
};

/**
 * The same in another order: by steps of a length that leaves nothing out. With every number the start is another one,
 * and what follows on what changes as well, so that no case always pays for the same predecessor.
 *
 * @param turn number of the order, from 0
 */
export function interleaved<T>(all: readonly T[], turn: number): T[] {
  const steps = all.map((_, k) => k + 1).filter(step => divisor(step, all.length) === 1);
  const step = steps[turn % Math.max(steps.length, 1)] ?? 1;
  return all.flatMap((_, k) => all.slice((turn + k * step) % all.length).slice(0, 1));
}

/** The greatest common one. */
const divisor = (one: number, other: number): number => (other === 0 ? one : divisor(other, one % other));
