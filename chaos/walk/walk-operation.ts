import type { Violation } from '../world/types.ts';
import { detourFor, excuseFor, makeGood } from './exceptions.ts';
import { logsOf, settle } from './look.ts';
import type { Operation } from './operation.ts';
import type { Answer, Scene } from './scene.ts';

/** What came of one death. */
export interface PointResult {
  /** From 1. */
  readonly number: number;
  /** The point that tsnet died at; undefined: the operation has fewer. */
  readonly point: string | undefined;
  /** All that were passed in the attempt, those of the process after it included. */
  readonly passed: readonly string[];
  /** What docker said where it refused. */
  readonly refused: string | undefined;
  /** What the engine alone is to blame for: see exceptions.ts. */
  readonly exceptions: readonly string[];
  /** Milliseconds that docker took for the attempt. */
  readonly ms: number;
  /** Milliseconds until the judge found nothing any more. */
  readonly settledMs: number;
  readonly violations: readonly Violation[];
}

/** More points than any operation has: one that goes on beyond never ends. */
const MOST = 200;

/**
 * Does an operation again and again, each time with tsnet dying at one point later, until it comes through alive.
 * @param options.from number of the first point
 * @param options.step how many points further each time
 * @param options.told hears of each as it is done
 * @throws Error when docker refuses what the operation begins from
 */
export async function walkOperation(
  scene: Scene,
  operation: Operation,
  options: {
    readonly from: number;
    readonly step: number;
    readonly told: (result: PointResult) => Promise<void>;
  },
): Promise<void> {
  // What one death has left for good is found after the next as well, and is counted once.
  const known = new Set<string>();
  for (let number = options.from; number <= MOST; number += options.step) {
    const result = await dieAt(scene, operation, number);
    const violations = result.violations.filter(one => !known.has(keyOf(one)));
    for (const one of violations) known.add(keyOf(one));
    await options.told({ ...result, violations });
    if (result.point === undefined) return;
  }
  throw new Error(`${operation.name} has no end`);
}

const keyOf = ({ rule, subject }: Violation): string => `${rule} ${subject}`;

async function dieAt(scene: Scene, operation: Operation, number: number): Promise<PointResult> {
  const { points, supervisor } = scene;
  const subject = operation.name;
  await operation.before(scene);
  await points.settled();
  const logs = logsOf(scene);
  points.arm(number);
  const answer = await operation.act(scene);
  const point = await points.outcome(number);
  const passed = points.passed();
  points.count();
  await supervisor.up();
  const violations: Violation[] = [];
  const undone = scene.host.engineOutput().slice(logs.engine);
  const exceptions = new Set(point === undefined ? [] : await makeGood(scene, operation, undone));
  if (!answer.ok) {
    if (point === undefined) violations.push({ rule: 'refused-for-nothing', subject, detail: answer.words });
    // Before anything is judged: until then the engine shows attachments that it has given up.
    const { again, detour } = await repeat(scene, operation);
    if (detour !== undefined) exceptions.add(detour);
    if (!again.ok) violations.push({ rule: 'cannot-be-repeated', subject, detail: again.words });
  }
  const { left, ms } = await settle(scene, logs);
  for (const found of left) {
    const excuse = point === undefined ? undefined : excuseFor(operation.name, found);
    if (excuse === undefined) violations.push(found);
    else exceptions.add(excuse);
  }
  return {
    number,
    point,
    passed,
    refused: answer.ok ? undefined : answer.words,
    exceptions: [...exceptions],
    ms: answer.ms,
    settledMs: ms,
    violations,
  };
}

/** Asks once more, and again after what its user has to do where the engine is to blame. */
async function repeat(
  scene: Scene,
  operation: Operation,
): Promise<{ again: Answer; detour: string | undefined }> {
  const ask = operation.again ?? operation.act;
  const again = await ask(scene);
  const detour = again.ok ? undefined : detourFor(operation.name, again.words);
  if (detour === undefined) return { again, detour: undefined };
  await detour.first(scene, again.words);
  return { again: await ask(scene), detour: detour.reason };
}
