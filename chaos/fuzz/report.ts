import { KINDS, type Kind } from './request.ts';
import type { Usage } from './target.ts';

/** What a campaign was, in numbers and words. */
export interface Report {
  readonly seed: number;
  readonly target: string;
  readonly seconds: number;
  readonly requests: ReadonlyMap<Kind, number>;
  readonly broken: number;
  readonly done: number;
  /** By code. */
  readonly refused: ReadonlyMap<string, number>;
  /** Methods that were done, and how often. */
  readonly methods: ReadonlyMap<string, number>;
  /** Refused requests whose state before and after was compared. */
  readonly compared: number;
  readonly crashes: number;
  readonly hangs: number;
  readonly differences: number;
  readonly defects: number;
  /** Milliseconds of the longest answer. */
  readonly longest: number;
  readonly checkedStrings: number | undefined;
  /** After a tenth of the requests and at the end. */
  readonly usage: readonly [early: Usage, late: Usage];
  /** What the first violations were, a paragraph each. */
  readonly violations: readonly string[];
}

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
const pairs = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${whole(count)}`)
    .join(', ');
const sum = (counts: ReadonlyMap<string, number>): number => counts.values().reduce((a, b) => a + b, 0);

/** Whether nothing was found. */
export const isClean = ({ crashes, hangs, differences, defects }: Report): boolean =>
  crashes + hangs + differences + defects === 0;

/** The report in text, a figure a line. */
export function render(report: Report): string {
  const total = sum(report.requests);
  const [early, late] = report.usage;
  const lines = [
    `target             ${report.target}`,
    `seed               ${report.seed}`,
    `requests           ${whole(total)} in ${whole(report.seconds)} s, ${whole(total / report.seconds)} a second`,
    `  of them          ${KINDS.map(kind => `${kind} ${whole(report.requests.get(kind) ?? 0)}`).join(', ')}`,
    `broken connections ${whole(report.broken)}`,
    `done               ${whole(report.done)}: ${pairs(report.methods)}`,
    `refused            ${whole(sum(report.refused))}: ${pairs(report.refused)}`,
    `states compared    ${whole(report.compared)}, before and after a refusal`,
    ...(report.checkedStrings === undefined
      ? []
      : [`strings checked    ${whole(report.checkedStrings)}, on their way to the kernel`]),
    `longest answer     ${whole(report.longest)} ms`,
    `memory             ${whole(early.memory)} MB after a tenth, ${whole(late.memory)} MB at the end`,
    `open files         ${early.files} after a tenth, ${late.files} at the end`,
    `crashes            ${report.crashes}`,
    `hangs              ${report.hangs}`,
    `state differences  ${report.differences}`,
    `other defects      ${report.defects}`,
  ];
  return [...lines, ...report.violations.map(text => `\n${text}`), ''].join('\n');
}
