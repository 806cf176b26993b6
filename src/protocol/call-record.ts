import type { TsnetError } from '../errors.ts';
import type { Log } from '../log.ts';
import { summarise } from './summary.ts';
import type { Call } from './types.ts';

/** Gathers what one call's entry in the log says. */
export class CallRecord implements Call {
  readonly method: string;
  readonly #log: Log;
  readonly #start = performance.now();
  #end: number | undefined;
  readonly #changed: string[] = [];
  readonly #warnings: string[] = [];
  #object: string | undefined;
  #asked: unknown;
  #controller: AbortController | undefined;
  #expiry: TsnetError | undefined;

  /** @param method the protocol's name of the method, such as `NetworkDriver.Join` */
  constructor(method: string, log: Log) {
    this.method = method;
    this.#log = log;
  }

  /** Made when it is asked for, which most calls never do. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#expiry !== undefined) this.#controller.abort(this.#expiry);
    }
    return this.#controller.signal;
  }

  /** The deadline has come. */
  expire(error: TsnetError): void {
    this.#expiry = error;
    this.#controller?.abort(error);
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
    this.#asked = request;
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
      asked: this.#asked === undefined ? undefined : summarise(this.#asked),
      changed: [...this.#changed],
      warnings: [...this.#warnings],
    };
  }
}
