import Table from 'cli-table3';

/** Only what Markdown wants of a table's frame. */
const FRAME = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ mid: '', 'mid-mid': '', 'left-mid': '', 'right-mid': '' },
  ...{ left: '|', middle: '|', right: '|' },
};

/** A Markdown table whose first column is text and whose others are figures. */
export function markdownTable(
  [first = '', ...columns]: readonly string[],
  rows: readonly string[][],
): string {
  const table = new Table({
    chars: FRAME,
    style: { head: [], border: [] },
    head: [first, ...columns],
    colAligns: ['left', ...columns.map(() => 'right' as const)],
  });
  table.push(['---', ...columns.map(() => '--:')], ...rows);
  return table.toString();
}

export const ms = (value: number): string => value.toFixed(1);

/** How many times as long one took as another: two digits that count, at least. */
export const ratioText = (ratio: number): string => ratio.toFixed(ratio < 0.1 ? 3 : 2);
