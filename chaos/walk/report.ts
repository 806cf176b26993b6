import Table from 'cli-table3';
import type { Operation } from './operation.ts';
import type { OperationResult, WalkResult } from './walk-all.ts';
import type { PointResult } from './walk-operation.ts';

const WIDTH = 110;
const PLAIN = { style: { head: [], border: [] } };

/** One death in a line, and what was found in further ones. */
export function pointLine({ name }: Operation, result: PointResult): string {
  const { number, point, refused, exceptions, ms, settledMs, violations } = result;
  const times = `${Math.round(ms)} + ${Math.round(settledMs)} ms`;
  const how = refused === undefined ? '' : `, refused: ${refused.split('\n')[0]?.slice(0, WIDTH)}`;
  return [
    `${name} ${number}: ${point ?? 'alive at the end'} (${times}${how})`,
    ...exceptions.map(reason => `  the engine's: ${reason}`),
    ...violations.map(({ rule, subject, detail }) => `  ! ${rule}, ${subject}: ${detail}`),
  ].join('\n');
}

/** How many promises were not kept; an operation that cannot be gone on with is one. */
export const violationsIn = ({ points, broken }: OperationResult): number =>
  points.reduce((sum, { violations }) => sum + violations.length, broken === undefined ? 0 : 1);

/** Points that tsnet died at. */
export const deathsIn = ({ points }: OperationResult): number =>
  points.filter(({ point }) => point !== undefined).length;

/** The table of operations, and a line of sums. */
export function walkText({ engine, operations, longestStart }: WalkResult): string {
  const head = [
    'operation',
    'points',
    'by kind',
    'refused',
    'longest call',
    'settled within',
    "engine's",
    'violations',
  ];
  const table = new Table({ head, ...PLAIN });
  for (const operation of operations) {
    const { name, points } = operation;
    table.push([
      name,
      deathsIn(operation),
      kindsOf(points),
      points.filter(({ refused }) => refused !== undefined).length,
      longest(points, ({ ms }) => ms),
      longest(points, ({ settledMs }) => settledMs),
      points.filter(({ exceptions }) => exceptions.length > 0).length,
      violationsIn(operation),
    ]);
  }
  const sum = (of: (operation: OperationResult) => number) =>
    operations.reduce((all, one) => all + of(one), 0);
  return [
    table.toString(),
    `engine ${engine}: tsnet died ${sum(deathsIn)} times in ${operations.length} operations; its longest start took ${Math.round(longestStart)} ms; violations: ${sum(violationsIn)}`,
  ].join('\n');
}

/** `3 commit, 5 netlink`. */
function kindsOf(points: readonly PointResult[]): string {
  const counts = new Map<string, number>();
  for (const { point } of points) {
    const kind = point?.split(' ')[0];
    if (kind !== undefined) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
}

const longest = (points: readonly PointResult[], of: (result: PointResult) => number): string =>
  `${Math.round(Math.max(0, ...points.map(of)))} ms`;
