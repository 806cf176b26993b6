import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Generation } from '../../test/lab/engines.ts';
import { dump } from './dump.ts';
import type { Operation } from './operation.ts';
import { pointLine } from './report.ts';
import { Stage } from './stage.ts';
import { type PointResult, walkOperation } from './walk-operation.ts';

export interface WalkOptions {
  readonly engine: Generation;
  readonly operations: readonly Operation[];
  /** The daemon's executable. */
  readonly program: string;
  /** Number of the first point of each operation. */
  readonly from: number;
  /** 1: each point; 2: every other one. */
  readonly step: number;
  /** Directory for what there was to see when something was found. */
  readonly dump: string;
  /** Hears of everything as it happens. */
  readonly say: (line: string) => void;
}

export interface OperationResult {
  readonly name: string;
  readonly points: readonly PointResult[];
  /** Why it could not be gone on with. */
  readonly broken?: string;
}

export interface WalkResult {
  /** The engine's version. */
  readonly engine: string;
  readonly operations: readonly OperationResult[];
  /** Milliseconds of tsnet's longest start, to a restored host. */
  readonly longestStart: number;
}

/** Walks operations on a throwaway host, each from a host with nothing on it. */
export async function walkAll(options: WalkOptions): Promise<WalkResult> {
  const operations: OperationResult[] = [];
  await using stage = await Stage.open(options.engine, options.program);
  const { scene } = stage;
  let engine: readonly string[] = [];
  for (const operation of options.operations) {
    const wanted = operation.engine ?? [];
    if (wanted.join() !== engine.join()) await scene.restartEngine('TERM', wanted);
    engine = wanted;
    operations.push(await walkOne(stage, operation, options));
  }
  return { engine: scene.host.engine.version, operations, longestStart: scene.supervisor.longest };
}

async function walkOne(
  { scene }: Stage,
  operation: Operation,
  options: WalkOptions,
): Promise<OperationResult> {
  const { from, step, say } = options;
  const points: PointResult[] = [];
  const { name } = operation;
  const told = async (result: PointResult) => {
    points.push(result);
    say(pointLine(operation, result));
    if (result.violations.length === 0) return;
    const file = join(options.dump, `${options.engine} ${name} ${result.number}.txt`.replaceAll(' ', '-'));
    mkdirSync(options.dump, { recursive: true });
    writeFileSync(file, await dump(scene, operation, result));
    say(`  ${file}`);
    await scene.wipe();
  };
  try {
    await walkOperation(scene, operation, { from, step, told });
    await scene.wipe();
    return { name, points };
  } catch (error) {
    say(`  ! ${name}: ${String(error)}`);
    await scene.wipe().catch(() => undefined);
    return { name, points, broken: String(error) };
  }
}
