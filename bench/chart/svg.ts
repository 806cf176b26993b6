const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text as it may stand in an element or in a quoted attribute. */
export const escaped = (words: string): string => words.replace(/[&<>"]/g, found => ENTITIES[found] ?? found);

/** Tenths are finer than any screen, and the same on every machine. */
const units = (value: number): string => String(Math.round(value * 10) / 10);

export const rect = (style: string, x: number, y: number, width: number, height: number): string =>
  `<rect class="${style}" x="${units(x)}" y="${units(y)}" width="${units(width)}" height="${units(height)}"/>`;

export const line = (style: string, x1: number, y1: number, x2: number, y2: number): string =>
  `<line class="${style}" x1="${units(x1)}" y1="${units(y1)}" x2="${units(x2)}" y2="${units(y2)}"/>`;

/** @param anchor which end of the words is at x */
export const text = (
  style: string,
  x: number,
  y: number,
  words: string,
  anchor: 'start' | 'middle' | 'end' = 'start',
): string => {
  const attributes = `${style === '' ? '' : ` class="${style}"`}${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}`;
  return `<text${attributes} x="${units(x)}" y="${units(y)}">${escaped(words)}</text>`;
};
