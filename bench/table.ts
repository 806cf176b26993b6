import { CASES, FLOOR, VARIANTS } from './cases.ts';
import { markdownTable, ms, ratio } from './markdown.ts';
import type { EngineReport, Row } from './measure-engine.ts';
import type { Figures } from './statistics.ts';

const OPERATIONS = ['connect', 'disconnect'] as const;

/** The report of an engine as Markdown: for each place of the default gateway a table of connects and one of disconnects. */
export function tables({ engine, rows }: EngineReport): string {
  const parts = VARIANTS.flatMap(variant => {
    const mine = rows.filter(row => row.gateway === variant.name);
    return OPERATIONS.map(operation => `Engine ${engine}, ${variant.title}\n\n${table(mine, operation)}\n`);
  });
  return parts.join('\n');
}

function table(rows: readonly Row[], operation: (typeof OPERATIONS)[number]): string {
  const settled = operation === 'disconnect' ? ['settled'] : [];
  const columns = ['median', 'p90', 'rounds', '÷ builtin', '÷ floor', ...settled];
  const named = (name: string | undefined) => rows.find(row => row.driver === name)?.[operation];
  const cellsOf = rows.map(row => {
    const builtin = named(CASES.find(one => one.name === row.driver)?.builtin);
    const floor = row.driver === FLOOR ? undefined : named(FLOOR);
    return [
      row.driver,
      ...cells(row[operation], builtin, floor),
      ...settled.map(() => ms(row.settle.median)),
    ];
  });
  return markdownTable([`${operation}, ms`, ...columns], cellsOf);
}

function cells(one: Figures, builtin: Figures | undefined, floor: Figures | undefined): string[] {
  return [
    ms(one.median),
    ms(one.p90),
    one.spread.map(ms).join('-'),
    ratio(one.median, builtin?.median),
    ratio(one.median, floor?.median),
  ];
}
