import { HOST_FAULTS, LONE_FAULTS } from '../faults/all.ts';
import { PROCESS_FAULTS, type ProcessFault } from '../faults/processes.ts';
import type { Random } from '../random.ts';
import type { Fault } from '../world/types.ts';

/** A fault of a round, and when in it. */
export interface PlannedFault {
  readonly fault: Fault;
  /** Milliseconds from the fault before, or from the round's beginning; `idle`: once the operations are done. */
  readonly after: number | 'idle';
  /** Milliseconds that it lasts; absent: as long as the round's operations. */
  readonly lasts?: number;
}

/** These end with a container's restart, which must not be one that an operation has stopped meanwhile. */
const BETWEEN: ReadonlySet<string> = new Set(['parent-deleted', 'port-deleted', 'container-link-deleted']);

/** Every kind of fault that a campaign knows. */
export const KINDS: readonly string[] = [
  ...PROCESS_FAULTS,
  ...[...HOST_FAULTS, ...LONE_FAULTS].map(({ kind }) => kind),
].sort();

/**
 * The faults of one round, at moments that no operation knows of.
 * @param kinds the kinds to choose from; without any there are no faults
 */
export function planFaults(
  random: Random,
  processes: Readonly<Record<ProcessFault, Fault>>,
  kinds: ReadonlySet<string>,
): PlannedFault[] {
  const brief = (fault: Fault): PlannedFault => ({
    fault,
    after: random.below(500),
    lasts: random.chance(0.5) ? 0 : random.below(400),
  });
  const other = (fault: Fault): PlannedFault => {
    if (BETWEEN.has(fault.kind)) return { fault, after: 'idle' };
    return random.chance(0.5) ? brief(fault) : { fault, after: random.below(700) };
  };
  const kills = (least: number, most: number) =>
    kinds.has('kill-tsnet')
      ? Array.from({ length: least + random.below(most - least + 1) }, () => brief(processes['kill-tsnet']))
      : [];
  const steps = (least: number, most: number) =>
    Array.from({ length: least + random.below(most - least + 1) }, () => brief(processes['die-at-step']));
  const among = (faults: readonly Fault[]) => faults.filter(({ kind }) => kinds.has(kind));
  const [onHost, alone] = [among(HOST_FAULTS), among(LONE_FAULTS)];
  const one = (kind: ProcessFault, weight: number, plan: () => PlannedFault[]): Weighted[] =>
    kinds.has(kind) ? [[weight, plan]] : [];
  const some = (
    faults: readonly Fault[],
    weight: number,
    plan: (fault: Fault) => PlannedFault[],
  ): Weighted[] => (faults.length > 0 ? [[weight, () => plan(random.pick(faults))]] : []);
  const plans: Weighted[] = [
    [8, () => []],
    ...one('kill-tsnet', 30, () => kills(4, 9)),
    ...one('restart-tsnet', 3, () => [brief(processes['restart-tsnet']), ...kills(0, 1)]),
    ...one('die-at-step', 12, () => steps(2, 5)),
    ...one('die-at-start', 3, () => [brief(processes['die-at-start'])]),
    ...one('kill-engine', 12, () => [brief(processes['kill-engine'])]),
    ...one('kill-engine', 5, () => [...kills(1, 3), brief(processes['kill-engine']), ...kills(1, 3)]),
    ...one('kill-engine-and-tsnet', 6, () => [brief(processes['kill-engine-and-tsnet'])]),
    ...one('restart-engine', 6, () => [brief(processes['restart-engine'])]),
    ...one('power-loss', 10, () => [brief(processes['power-loss'])]),
    ...some(onHost, 10, fault => [other(fault)]),
    ...some(onHost, 10, fault => [other(fault), ...kills(1, 3)]),
    ...some(alone, 10, fault => [other(fault)]),
  ];
  return random.weighted(plans)();
}

type Weighted = readonly [weight: number, plan: () => PlannedFault[]];
