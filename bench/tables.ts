import { machineText } from './machine.ts';
import { markdownTable, ms, ratioText } from './markdown.ts';
import type { CallRow } from './own-calls.ts';
import { type EngineReport, type MeasureReport, RATIOS, type Report, type Row } from './report.ts';

/** The head of the output: machine and reading help. */
export const headText = ({ machine, plan }: Report): string =>
  `${machineText(machine)}; ${plan.rounds} rounds, interleaved; load before: ${machine.load.toFixed(1)}\n` +
  "All through the Engine API's Unix socket. `rounds`: smallest and largest median of a round; " +
  '÷: ratio of medians, below 1 is faster\n';

/** What came out of one measure with one engine, as Markdown. */
export function measureTables({ engine }: Pick<EngineReport, 'engine'>, report: MeasureReport): string {
  const scenarios = [...Map.groupBy(report.rows, row => row.scenario)];
  const parts = [
    `## Engine ${engine}: ${report.measure}\n\n${report.title} (took ${report.seconds} s)\n`,
    ...report.headline.flatMap(operation =>
      scenarios.map(([scenario, rows]) => `${capital(scenario)}\n\n${operationTable(operation, rows)}\n`),
    ),
    detailTable(report),
    callTables(report),
    leakTable(report),
  ];
  return parts.filter(part => part !== '').join('\n');
}

function operationTable(operation: string, all: readonly Row[]): string {
  const rows = all.filter(row => row.operation === operation);
  const ratios = RATIOS.filter(ratio => rows.some(row => ratio in row.ratios));
  return markdownTable(
    [`${operation}, ms`, 'median', 'p90', 'rounds', ...ratios.map(ratio => `÷ ${ratio}`)],
    rows.map(({ case: name, figures, ratios: known }) => [
      name,
      ms(figures.median),
      ms(figures.p90),
      figures.spread.map(ms).join('-'),
      ...ratios.map(ratio => optional(known[ratio], ratioText)),
    ]),
  );
}

/** The medians of what has no table of its own. */
function detailTable({ rows, headline }: MeasureReport): string {
  const details = rows.filter(row => !headline.includes(row.operation));
  const operations = [...new Set(details.map(row => row.operation))];
  if (operations.length === 0) return '';
  const subjects = [...Map.groupBy(details, row => `${row.case}, ${row.scenario}`)];
  const body = subjects.map(([subject, of]) => {
    const median = (operation: string) => of.find(row => row.operation === operation)?.figures.median;
    return [subject, ...operations.map(operation => optional(median(operation), ms))];
  });
  return `Medians, ms\n\n${markdownTable(['', ...operations], body)}\n`;
}

/** A table for each of tsnet's cases: the calls, and p50 and p99 of each in every scenario. */
function callTables({ calls }: MeasureReport): string {
  const tables = [...Map.groupBy(calls, row => row.case)].map(([name, mine]) => {
    const scenarios = [...new Set(mine.map(row => row.scenario))];
    const body = [...Map.groupBy(mine, row => row.call)].map(([call, of]) => [
      call,
      ...scenarios.map(scenario => shares(of.find(row => row.scenario === scenario))),
    ]);
    return `${name}: tsnet's own time, p50 / p99 in ms\n\n${markdownTable(['', ...scenarios], body)}\n`;
  });
  return tables.join('\n');
}

const shares = (row: CallRow | undefined): string =>
  row === undefined ? '' : `${row.p50.toFixed(2)} / ${row.p99.toFixed(2)}`;

function leakTable({ leaks }: MeasureReport): string {
  if (leaks === undefined) return '';
  const body = leaks.map(({ scenario, case: name, storms, leaked, hung }) => [
    `${name}, ${scenario}`,
    `${leaked} of ${storms}`,
    hung === 0 ? '' : String(hung),
  ]);
  return (
    'Storms after which the engine had lost count of endpoints (`network rm`: "has active endpoints"; moby#17217), and those that were ' +
    'repeated because it did not answer any more\n\n' +
    `${markdownTable(['', 'miscounted', 'hung'], body)}\n`
  );
}

const optional = (value: number | undefined, write: (value: number) => string): string =>
  value === undefined ? '' : write(value);
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
