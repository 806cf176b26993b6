import { markdownTable } from '../markdown.ts';
import { type Figures, MEASURES, type Ratio } from './figures.ts';
import type { DatapathReport, Row } from './measure.ts';

const COLUMNS = [
  ...['builtin', 'p90', 'rounds', 'tsnet', 'p90', 'rounds', '× builtin', 'rounds'],
  ...['builtin alone', 'p90', 'rounds', '× alone', 'rounds', 'target'],
];

/** The report of an engine as Markdown, a table for each measure. */
export function datapathTables({ engine, rows }: DatapathReport): string {
  const measures = [...new Set(rows.map(row => row.measure))];
  return measures
    .map(measure => {
      const head = `Engine ${engine}: ${measure}, ${MEASURES[measure].unit}`;
      return markdownTable([head, ...COLUMNS], rows.filter(row => row.measure === measure).map(cells));
    })
    .map(table => `${table}\n`)
    .join('\n');
}

function cells({ case: name, measure, figures, ratio, target }: Row): string[] {
  const number = (value: number) => value.toFixed(MEASURES[measure].digits);
  const of = (one: Figures | undefined) =>
    one === undefined
      ? ['', '', '']
      : [number(one.median), number(one.p90), one.spread.map(number).join('-')];
  const times = (value: number) => value.toFixed(2);
  const factor = (one: Ratio | undefined) =>
    one === undefined ? ['', ''] : [times(one.median), one.spread.map(times).join('-')];
  return [
    ...[name, ...of(figures.builtin), ...of(figures.tsnet), ...factor(ratio.builtin)],
    ...[...of(figures.alone), ...factor(ratio.alone), target === undefined ? '' : `≥ ${target}`],
  ];
}
