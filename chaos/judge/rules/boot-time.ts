import type { JudgeTarget } from '../target.ts';
import { type Rule, violation } from '../violations.ts';

/** Milliseconds by which tsnet may make the engine's boot longer. */
const LONGER = 2000;

/** The engine boots within 2 s of its time without tsnet. */
export const bootTimeRule: Rule<JudgeTarget> = ({ boots = [] }) =>
  boots
    .filter(({ ms, without }) => ms > without + LONGER)
    .map(({ what, ms, without }) =>
      violation(
        'boot-not-in-time',
        what,
        `took ${Math.round(ms)} ms, and ${Math.round(without)} ms without tsnet`,
      ),
    );
