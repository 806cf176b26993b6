import type { TsnetError } from '../errors.ts';
import type { Log } from '../log.ts';
import { summarise } from './summary.ts';
import type { Call } from './types.ts';

/** Gathers what one call's entry in the log says. */
export class CallRecord implements Call {
  readonly signal: AbortSignal;
  readonly method: string;
  readonly #log: Log;
  readonly #start = performance.now();
  #end: number | undefined;
  readonly #changed: string[] = [];
  readonly #warnings: string[] = [];
  #object: string | undefined;
  #asked: unknown;

  /**
   * @param method the protocol's name of the method, such as `NetworkDriver.Join`
   * @param signal fires at the deadline
   */
  constructor(method: string, signal: AbortSignal, log: Log) {
    this.method = method;
    this.signal = signal;
    this.#log = log;
  }

  changed(what: string): void {
    this.#changed.push(what);
  }

  warn(what: string): void {
    this.#warnings.push(what);
  }

  about(object: string): void {
    this.#object = object;
  }

  /** Keeps the decoded request for the entry. */
  asked(request: unknown): void {
    this.#asked = request === undefined ? undefined : summarise(request);
  }

  /** The work is done: what comes is not counted. */
  ended(): void {
    this.#end = performance.now();
  }

  /** Writes the entry of a call that was answered well. */
  succeeded(): void {
    this.#log.log(this.#warnings.length > 0 ? 'warn' : 'info', this.method, this.#entry('ok'));
  }

  /** Writes the entry of a call that was refused or failed; a defect of tsnet comes with its stack. */
  failed(error: TsnetError): void {
    const defect = error.code === 'INTERNAL';
    const cause = error.cause instanceof Error ? error.cause : undefined;
    this.#log.log(defect ? 'error' : 'warn', this.method, {
      ...this.#entry(error.code),
      error: error.message,
      cause: defect ? undefined : cause?.message,
      stack: defect ? (cause ?? error).stack : undefined,
    });
  }

  /** Writes a second entry for a handler that ended after the engine had been told DEADLINE. */
  endedLate(error?: TsnetError): void {
    this.ended();
    this.#log.warn(`${this.method} ended after its deadline`, {
      ...this.#entry(error?.code ?? 'ok'),
      error: error?.message,
      stack: error?.code === 'INTERNAL' && error.cause instanceof Error ? error.cause.stack : undefined,
    });
  }

  #entry(outcome: string): Record<string, unknown> {
    return {
      outcome,
      ms: Math.round(((this.#end ?? performance.now()) - this.#start) * 100) / 100,
      object: this.#object,
      asked: this.#asked,
      changed: [...this.#changed],
      warnings: [...this.#warnings],
    };
  }
}
