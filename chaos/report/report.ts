import Table from 'cli-table3';
import type { CampaignOptions } from '../campaign/options.ts';
import type { Tally } from './tally.ts';

export interface CampaignReport {
  readonly options: CampaignOptions;
  readonly tally: Tally;
  /** By kind, how often it was struck. */
  readonly struck: ReadonlyMap<string, number>;
  /** By kind: asked for, and refused or cut off. */
  readonly operations: ReadonlyMap<string, { readonly done: number; readonly failed: number }>;
}

/** The report as a campaign prints it at its end. */
export function reportText({ options, tally, struck, operations }: CampaignReport): string {
  const done = new Table({ head: ['operation', 'asked for', 'refused or cut off'], style: PLAIN });
  for (const [kind, count] of sorted(operations)) done.push([kind, count.done, count.failed]);
  const faults = new Table({ head: ['fault', 'struck'], style: PLAIN });
  for (const [kind, count] of sorted(struck)) faults.push([kind, count]);
  const sum = [...operations.values()].reduce((total, count) => total + count.done, 0);
  const figures = new Table({ style: PLAIN });
  figures.push(
    ['engine', options.engine],
    ['seed', options.seed],
    ['rounds', tally.rounds],
    ['operations', sum],
    ['faults', [...struck.values()].reduce((total, count) => total + count, 0)],
    ['violations', tally.violations.length],
    ["calls of the engine's API", tally.calls],
    ['longest call', `${seconds(tally.longestCall.ms)} (${tally.longestCall.call})`],
    ['longest recovery', seconds(tally.longestRecovery)],
    ['longest start of tsnet', seconds(tally.longestStart)],
    [
      'longest start of the engine',
      `${seconds(tally.longestBoot.ms)} (${tally.longestBoot.containers} containers to start)`,
    ],
    ['start of the engine without tsnet', seconds(tally.bareBoot)],
  );
  return [done, faults, figures].map(table => table.toString()).join('\n');
}

const PLAIN = { head: [], border: [], compact: true };
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const sorted = <T>(map: ReadonlyMap<string, T>): [string, T][] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : 1));
