import { markdownTable, ms, ratio } from './markdown.ts';
import type { PortReport, PortRow } from './measure-ports.ts';
import { DRIVERS, STEPS } from './port-life.ts';

/** The report of an engine as Markdown: whole lives with their ratios, and what each step of them took. */
export function portTables({ engine, rows }: PortReport): string {
  return [
    `Engine ${engine}, life of a container by its number of published ports\n\n${lives(rows)}\n`,
    `Engine ${engine}, its steps, medians in ms\n\n${steps(rows)}\n`,
  ].join('\n');
}

function lives(rows: readonly PortRow[]): string {
  const find = (driver: string, ports: number) =>
    rows.find(row => row.driver === driver && row.ports === ports)?.life;
  const head = [
    'life, ms',
    ...DRIVERS.flatMap(({ name }) => [name, 'rounds', '÷ 0 ports']),
    'tsnet ÷ builtin',
  ];
  const counts = [...new Set(rows.map(row => row.ports))];
  const body = counts.map(count => {
    const cells = DRIVERS.flatMap(({ name }) => {
      const life = find(name, count);
      if (life === undefined) return ['', '', ''];
      return [ms(life.median), life.spread.map(ms).join('-'), ratio(life.median, find(name, 0)?.median)];
    });
    const [tsnet, builtin] = [find('tsnet', count), find('builtin', count)];
    return [portsText(count), ...cells, tsnet === undefined ? '' : ratio(tsnet.median, builtin?.median)];
  });
  return markdownTable(head, body);
}

function steps(rows: readonly PortRow[]): string {
  return markdownTable(
    ['', ...STEPS],
    rows.map(row => [
      `${row.driver}, ${portsText(row.ports)}`,
      ...STEPS.map(step => ms(row.steps[step].median)),
    ]),
  );
}

const portsText = (count: number): string => `${count} port${count === 1 ? '' : 's'}`;
