import { PROCESS_FAULTS } from '../faults/processes.ts';

const ENGINE_ENDS: ReadonlySet<string> = new Set(['kill-engine', 'restart-engine', 'power-loss']);
const ENGINE_DIES: ReadonlySet<string> = new Set(['kill-engine', 'kill-engine-and-tsnet', 'power-loss']);

/** Which faults are being done to the host, and when: what fails meanwhile was provoked. */
export class Trouble {
  /** By kind, how often it was struck. */
  readonly struck = new Map<string, number>();
  #round: string[] = [];

  /** Whether something was done to the host since the round began. */
  get inRound(): boolean {
    return this.#round.length > 0;
  }

  /** Whether the engine was ended in the round without having been asked. */
  get hadEngineDie(): boolean {
    return this.#round.some(kind => ENGINE_DIES.has(kind));
  }

  /** Whether the engine was ended in the round, in whatever way. */
  get hadEngineEnd(): boolean {
    return this.#round.some(isEngineEnd);
  }

  /** Whether nothing else was done than to end the engine, or the whole host: its boots may be timed. */
  get hadOnlyEngineEnd(): boolean {
    return this.#round.every(kind => ENGINE_ENDS.has(kind));
  }

  /** Whether the engine was started while other things went wrong, so that containers it was to start may not run. */
  get hadTroubledStart(): boolean {
    return this.hadEngineEnd && !this.#round.every(isEngineEnd);
  }

  /** Whether nothing else was done than to end processes: nothing but tsnet's own end gives it a reason to complain. */
  get hadOnlyDeaths(): boolean {
    return this.#round.every(kind => (PROCESS_FAULTS as readonly string[]).includes(kind));
  }

  beginRound(): void {
    this.#round = [];
  }

  strike(kind: string): void {
    this.#round.push(kind);
    this.struck.set(kind, (this.struck.get(kind) ?? 0) + 1);
  }
}

const isEngineEnd = (kind: string): boolean => ENGINE_ENDS.has(kind) || ENGINE_DIES.has(kind);
