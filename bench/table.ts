import Table from 'cli-table3';
import { CASES, FLOOR, VARIANTS } from './cases.ts';
import type { EngineReport, Row } from './measure-engine.ts';
import type { Figures } from './statistics.ts';

const OPERATIONS = ['connect', 'disconnect'] as const;

/** Only what Markdown wants of a table's frame. */
const MARKDOWN = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ mid: '', 'mid-mid': '', 'left-mid': '', 'right-mid': '' },
  ...{ left: '|', middle: '|', right: '|' },
};

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
  const out = new Table({
    chars: MARKDOWN,
    style: { head: [], border: [] },
    head: [`${operation}, ms`, ...columns],
    colAligns: ['left', ...columns.map(() => 'right' as const)],
  });
  out.push(['---', ...columns.map(() => '--:')]);
  const named = (name: string | undefined) => rows.find(row => row.driver === name)?.[operation];
  for (const row of rows) {
    const builtin = named(CASES.find(one => one.name === row.driver)?.builtin);
    const floor = row.driver === FLOOR ? undefined : named(FLOOR);
    out.push([
      row.driver,
      ...cells(row[operation], builtin, floor),
      ...settled.map(() => ms(row.settle.median)),
    ]);
  }
  return out.toString();
}

function cells(one: Figures, builtin: Figures | undefined, floor: Figures | undefined): string[] {
  const ratio = (other: Figures | undefined) =>
    other === undefined ? '' : (one.median / other.median).toFixed(2);
  return [ms(one.median), ms(one.p90), one.spread.map(ms).join('-'), ratio(builtin), ratio(floor)];
}

const ms = (value: number): string => value.toFixed(1);
