import Table from 'cli-table3';
import type { Round, StormOutcome } from './run-storm.ts';
import { descriptorTrend, memoryTrend, type Trend, WARM } from './trend.ts';
import { total } from './usage.ts';
import { faultsOf } from './verdict.ts';

/** A line for each round as it ends. */
export const roundText = ({ number, up, down, usage, rested, errors }: Round): string =>
  `round ${number}: up in ${up.toFixed(1)} s, gone in ${down.toFixed(1)} s, ${usage.memory.toFixed(1)} MiB, ` +
  `${rested === undefined ? '' : `${rested.memory.toFixed(1)} at rest, `}` +
  `${total(usage.descriptors)} descriptors, ${errors.length} errors`;

/** What a storm has come to, with every fault. */
export function stormText(outcome: StormOutcome): string {
  const { engine, plan, rounds, log } = outcome;
  const faults = faultsOf(outcome);
  const lives = plan.containers * rounds.length;
  return [
    `engine ${engine}: ${plan.containers} containers, ${rounds.length} rounds, ${plan.atOnce} at once`,
    roundTable(rounds),
    `${lives} containers came and went; ${log.calls} calls of the engine, the longest ${log.longest}`,
    movement('memory at rest, MiB', memoryTrend(rounds)),
    movement('file descriptors', descriptorTrend(rounds)),
    `faults: ${faults.length}`,
    ...faults.map(fault => `  ${fault}`),
  ].join('\n');
}

function roundTable(rounds: readonly Round[]): string {
  const head = [
    'round',
    'up, s',
    'gone, s',
    'errors',
    'memory, MiB',
    'at rest',
    'resident',
    'peak',
    'descriptors',
    'threads',
  ];
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  for (const { number, up, down, errors, usage, rested } of rounds) {
    const { memory, resident, peak, descriptors, threads } = usage;
    const times = [up, down].map(seconds => seconds.toFixed(1));
    const sizes = [memory, rested?.memory, resident, peak].map(size => size?.toFixed(1) ?? '');
    table.push([number, ...times, errors.length, ...sizes, total(descriptors), threads]);
  }
  return table.toString();
}

function movement(what: string, trend: Trend | undefined): string {
  if (trend === undefined) return `${what}: too few rounds to tell`;
  return `${what}: ${trend.from.toFixed(1)} from round ${WARM} on, ${trend.to.toFixed(1)} at the end`;
}
