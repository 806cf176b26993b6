import { judge } from '../judge/judge.ts';
import { logEnds } from '../judge/rules/engine-log.ts';
import type { LogEnds } from '../judge/target.ts';
import type { Violation } from '../world/types.ts';
import type { Scene } from './scene.ts';

/** Milliseconds that tsnet and the engine have to come to one mind: tsnet asks the engine what it has, and gives it some seconds. */
const PATIENCE = 30_000;
/** What an engine complains of when its driver dies is what is done to it here. */
const PROVOKED = [/level=(warning|error)/];

/** Where the logs end at present. */
export const logsOf = (scene: Scene): LogEnds => logEnds(scene);

/**
 * Has the judge look until there is nothing to find fault with.
 * @param judged where the logs ended when what is judged began
 * @returns what there was at the end of all patience, and the milliseconds it took
 */
export async function settle(
  { host, daemon, world, lan }: Scene,
  judged: LogEnds,
): Promise<{ left: Violation[]; ms: number }> {
  const began = performance.now();
  const left = await judge({ host, daemon, world, lan, judged, provoked: PROVOKED, patience: PATIENCE });
  return { left, ms: performance.now() - began };
}
