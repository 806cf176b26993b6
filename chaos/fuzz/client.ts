import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import type { Answer, FuzzRequest } from './request.ts';

/** Speaks to the plugin's socket as an engine does: connections that stay open, one call at a time on each. */
export class Client {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #socketPath: string;
  readonly #patienceMs: number;

  /** @param patienceMs milliseconds after which a call without an answer hangs */
  constructor(socketPath: string, patienceMs: number) {
    this.#socketPath = socketPath;
    this.#patienceMs = patienceMs;
  }

  /** @throws Error when the connection breaks before the answer is there */
  send({ path, body, method = 'POST', headers }: FuzzRequest): Promise<Answer | 'hang'> {
    return new Promise((resolve, reject) => {
      const bytes = Buffer.from(body);
      const outgoing = request(
        {
          socketPath: this.#socketPath,
          agent: this.#agent,
          path,
          method,
          headers: { ...headers, 'content-length': bytes.length },
        },
        response => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            clearTimeout(timer);
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
          });
        },
      );
      const timer = setTimeout(() => {
        resolve('hang');
        outgoing.destroy();
      }, this.#patienceMs);
      outgoing.on('error', error => {
        clearTimeout(timer);
        reject(error);
      });
      outgoing.end(bytes);
    });
  }

  /** Writes bytes on a connection of their own and goes away when the other side does, or has nothing to say for a moment. */
  raw(bytes: Buffer): Promise<void> {
    const QUIET_MS = 20;
    return new Promise(resolve => {
      const socket = connect(this.#socketPath, () => socket.write(bytes));
      socket.setTimeout(QUIET_MS, () => socket.destroy());
      socket.on('data', () => undefined);
      // What the server does to a connection is its own affair; whether it still answers is asked afterwards.
      socket.on('error', () => undefined);
      socket.on('close', () => resolve());
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
