import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../../test/lab/wait.ts';
import { choose, type Limits } from '../operations/choose.ts';
import type { Operation } from '../operations/operation.ts';
import { Random } from '../random.ts';
import type { FaultTarget, Violation } from '../world/types.ts';
import { complaint, type Outcome } from './engine-calls.ts';
import type { History } from './history.ts';
import type { PlannedFault } from './plan-faults.ts';
import type { Stage } from './stage.ts';
import type { Trouble } from './trouble.ts';

export interface RoundSpec extends Limits {
  readonly operations: number;
  /** Operations at once. */
  readonly workers: number;
  /** What the operations follow from. */
  readonly seed: number;
  readonly faults: readonly PlannedFault[];
}

/** One round's operations with its faults between and during them. All has been undone and answered when it returns. */
export class Round {
  readonly violations: Violation[] = [];
  readonly #stage: Stage;
  readonly #trouble: Trouble;
  readonly #history: History;
  #left = 0;
  #isStriking = false;

  constructor(stage: Stage, trouble: Trouble, history: History) {
    this.#stage = stage;
    this.#trouble = trouble;
    this.#history = history;
  }

  async run({ operations, workers, faults, containers, seed }: RoundSpec): Promise<void> {
    this.#left = operations;
    this.#isStriking = true;
    const worker = async (_: unknown, number: number) => {
      const random = new Random(seed + number);
      while (this.#left-- > 0) await this.#next(random, { containers });
    };
    const working = Promise.all(Array.from({ length: workers }, worker));
    const striking = this.#strike(faults, working, new Random(seed + workers)).finally(() => {
      this.#isStriking = false;
    });
    await Promise.all([working, striking]);
  }

  async #next(random: Random, limits: Limits): Promise<void> {
    const { world, calls } = this.#stage;
    const operation = choose(world, random, limits);
    if (operation === undefined) return;
    const release = world.hold(operation.exclusive, operation.shared);
    const began = this.#history.begin(operation.text);
    try {
      const outcome = await operation.perform(calls, world);
      this.#history.end(began, operation, outcome);
      if (outcome === undefined) return;
      const isProvoked = this.#trouble.inRound || OF_CONTAINERD.test(complaint(outcome));
      if (!isProvoked) this.violations.push(refusal(operation, outcome));
      if (outcome.status === 0) await this.#engine();
    } catch (error) {
      this.#history.end(began, operation, { status: 0, body: { message: String(error) }, ms: 0 });
      this.violations.push({ rule: 'call-never-answered', subject: operation.text, detail: String(error) });
    } finally {
      release();
    }
  }

  /** Waits for the engine to come back, as long as somebody may bring it back. */
  async #engine(): Promise<void> {
    const { host } = this.#stage;
    const answers = async () =>
      host.isUp && (await host.api('GET', '/_ping').catch(() => undefined))?.status === 200;
    await waitFor(async () => !this.#isStriking || (await answers()), {
      timeout: 120_000,
      what: 'the engine',
    });
  }

  /** One after the other; a fault that is to last as long as the operations ends after the last of them. */
  async #strike(faults: readonly PlannedFault[], working: Promise<unknown>, numbers: Random): Promise<void> {
    const { host, daemon, world } = this.#stage;
    const target: FaultTarget = { host, daemon, world, random: limit => numbers.below(limit) };
    const ends: (() => Promise<void>)[] = [];
    for (const { fault, after, lasts } of faults) {
      if (after === 'idle') await working;
      else await delay(after);
      this.#trouble.strike(fault.kind);
      this.#history.note(`strike: ${fault.kind}`);
      const end = await fault.strike(target);
      const finish = async () => {
        await end();
        this.#history.note(`end: ${fault.kind}`);
      };
      if (lasts === undefined) ends.unshift(finish);
      else {
        await delay(lasts);
        await finish();
      }
    }
    if (ends.length > 0) await working;
    for (const end of ends) await end();
  }
}

/** A container whose start was cut off by the engine's end, some rounds ago, keeps its folder; only its removal helps. */
const OF_CONTAINERD = /failed to start shim: mkdir \S+: file exists/;

function refusal(operation: Operation, outcome: Outcome): Violation {
  return { rule: 'refused-without-cause', subject: operation.text, detail: complaint(outcome) };
}
