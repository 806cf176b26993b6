import type { Host } from '../../test/lab/host.ts';

/** How a call of the engine's API ended. `status` 0: the engine went away meanwhile. */
export interface Outcome {
  readonly status: number;
  readonly body: unknown;
  readonly ms: number;
}

/** Milliseconds after which a call is held to be never answered. */
const NEVER = 150_000;

/** Calls of the engine that keep the time. */
export class EngineCalls {
  readonly #host: Host;
  count = 0;
  longest = { ms: 0, call: '' };

  constructor(host: Host) {
    this.#host = host;
  }

  /** @throws Error when it is not answered at all */
  async call(method: string, path: string, body?: unknown): Promise<Outcome> {
    this.count += 1;
    const began = performance.now();
    let alarm: NodeJS.Timeout | undefined;
    const never = new Promise<never>((_resolve, reject) => {
      alarm = setTimeout(() => reject(new Error(`${method} ${path}: no answer in ${NEVER} ms`)), NEVER);
    });
    const answer = this.#host.api(method, path, body).catch(gone);
    const { status, body: said } = await Promise.race([answer, never]).finally(() => clearTimeout(alarm));
    const ms = performance.now() - began;
    if (ms > this.longest.ms) this.longest = { ms, call: `${method} ${path}` };
    return { status, body: said, ms };
  }
}

/** The words of an outcome that is no success. */
export function complaint({ status, body }: Outcome): string {
  const said = (body as { message?: string } | undefined)?.message ?? JSON.stringify(body);
  return `${status} ${said}`;
}

export const succeeded = ({ status }: Outcome): boolean => status >= 200 && status < 400;

const gone = (error: Error) => ({ status: 0, body: { message: error.message } });
