import { judge } from '../judge/judge.ts';
import { WHEN_PROCESSES_DIE } from '../judge/provoked.ts';
import type { LogEnds } from '../judge/target.ts';
import type { Violation } from '../world/types.ts';
import { adopt } from './adopt.ts';
import type { History } from './history.ts';
import { mend } from './mend.ts';
import type { Stage } from './stage.ts';
import type { Trouble } from './trouble.ts';

/** Milliseconds within which all has to be as promised: links are deleted in the background. */
const PATIENCE = 2000;
/** After faults: tsnet looks for what the engine has forgotten every 5 s, and leaves alone what has just been spoken of. */
const RECOVERY = 30_000;
/** What the engine writes, except where it crashes, and what tsnet does. */
const OF_ENGINE = /^time=/;
const OF_TSNET = /^\d{4}-\S+ ERROR /;

/** What a round has gone through. */
export interface Circumstances {
  readonly trouble: Trouble;
  /** Where the logs ended when it began. */
  readonly judged: LogEnds;
  readonly history: History;
}

/** How a round has ended. */
export interface Settled {
  readonly violations: readonly Violation[];
  /** Milliseconds until all was as promised. */
  readonly ms: number;
}

/** Waits until all is as promised, or should have been. What operations that were cut off have left is looked up first. */
export async function settle(stage: Stage, { trouble, judged, history }: Circumstances): Promise<Settled> {
  const { host, daemon, world, lab } = stage;
  const began = performance.now();
  if (trouble.hadTroubledStart) {
    for (const { name, restarts } of world.containers.values()) if (restarts) world.doubt(name);
  }
  const stuck = await adopt(stage, trouble.hadEngineDie);
  if (trouble.inRound) {
    for (const line of await mend(stage, judged.engine, trouble.hadEngineEnd)) history.note(line);
  }
  const violations = await judge({
    host,
    daemon,
    world,
    lan: lab.lan,
    judged,
    provoked: provokedBy(trouble),
    boots: trouble.hadOnlyEngineEnd ? stage.takeBoots() : [],
    patience: trouble.inRound ? RECOVERY : PATIENCE,
  });
  stage.takeBoots();
  violations.push(...stuck.map(detail => ({ rule: 'engine-refuses', subject: host.name, detail })));
  return { violations, ms: performance.now() - began };
}

function provokedBy(trouble: Trouble): RegExp[] {
  if (!trouble.inRound) return [];
  return trouble.hadOnlyDeaths ? [...WHEN_PROCESSES_DIE] : [OF_ENGINE, OF_TSNET];
}
