import { Worker } from 'node:worker_threads';
import type { FuzzRequest } from './request.ts';

/** Room for the beginning of a request, in bytes, behind its number and its length. */
const TEXT = 4_096;
const HEAD = 8;

/**
 * Watches from another thread whether requests go on. What tsnet and the fuzzer share is one event loop: a request that
 * has it turn for ever lets no timer fire, and would look like nothing at all.
 */
export class Watchdog {
  readonly #shared = new SharedArrayBuffer(HEAD + TEXT);
  readonly #head = new Int32Array(this.#shared, 0, HEAD / 4);
  readonly #text = Buffer.from(this.#shared, HEAD);
  readonly #worker = new Worker(new URL('./watchdog-thread.ts', import.meta.url), {
    workerData: this.#shared,
  });

  constructor() {
    this.#worker.unref();
  }

  /** A request is about to be sent. */
  begins(number: number, { method = 'POST', path, body }: FuzzRequest): void {
    Atomics.store(this.#head, 1, this.#text.write(`${method} ${path} ${body}`));
    Atomics.store(this.#head, 0, number);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
