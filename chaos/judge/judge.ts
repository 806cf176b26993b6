import { setTimeout as delay } from 'node:timers/promises';
import type { Violation } from '../world/types.ts';
import { type Look, lookAt } from './look.ts';
import { reachRule } from './reach/reach.ts';
import { addressRules } from './rules/addresses.ts';
import { bootTimeRule } from './rules/boot-time.ts';
import { containerRules } from './rules/containers.ts';
import { elementRules } from './rules/elements.ts';
import { engineLogRules } from './rules/engine-log.ts';
import { fileRules } from './rules/files.ts';
import { lanNeighbourRules } from './rules/lan-neighbours.ts';
import { linkRules } from './rules/links.ts';
import { namespaceRules } from './rules/namespaces.ts';
import { neighbourRules } from './rules/neighbours.ts';
import { processRules } from './rules/processes.ts';
import { routeRules } from './rules/routes.ts';
import { storeRules } from './rules/store.ts';
import { worldRules } from './rules/world.ts';
import type { JudgeTarget } from './target.ts';
import { keyOf, type Rule, violation } from './violations.ts';

export { logEnds } from './rules/engine-log.ts';
export type { Boot, JudgeTarget, LogEnds, TimedCall } from './target.ts';

const RULES: readonly Rule<Look>[] = [
  worldRules,
  containerRules,
  addressRules,
  linkRules,
  routeRules,
  neighbourRules,
  lanNeighbourRules,
  elementRules,
  namespaceRules,
  fileRules,
  processRules,
  storeRules,
];

/** What was said or measured: no patience changes it any more. */
const RECORDS: readonly Rule<JudgeTarget>[] = [engineLogRules, bootTimeRule];

/** Milliseconds within which links are gone that tsnet deletes in the background. */
const PATIENCE = 2000;
/** Milliseconds between two looks at what is not right yet. */
const PAUSE = 200;

/**
 * Compares a host with what its users were promised: the engine's API, the kernel and the store, each read by other means than
 * tsnet's own. To be called when nobody is changing anything.
 * @returns what is wrong and stays so; nothing for a host that is well
 */
export async function judge(target: JudgeTarget): Promise<Violation[]> {
  return [...(await lasting(target)), ...RECORDS.flatMap(rule => rule(target))];
}

/** What is not right, and does not come right within the patience. */
async function lasting(target: JudgeTarget): Promise<Violation[]> {
  const deadline = Date.now() + (target.patience ?? PATIENCE);
  let before: Set<string> | undefined;
  for (;;) {
    const found = await judgeOnce(target);
    if (found.length === 0) return [];
    const still = found.filter(one => before?.has(keyOf(one)));
    if (Date.now() > deadline && still.length > 0) return still;
    // What is new at each look is not right either, but not for ever.
    if (Date.now() > deadline + PATIENCE) return found;
    before = new Set(found.map(keyOf));
    await delay(PAUSE);
  }
}

/** One look, without patience. */
async function judgeOnce(target: JudgeTarget): Promise<Violation[]> {
  let look: Look;
  try {
    look = await lookAt(target);
  } catch (error) {
    return [violation('host-unreadable', target.host.name, String(error))];
  }
  return [...RULES.flatMap(rule => rule(look)), ...(await reachRule(look))];
}
