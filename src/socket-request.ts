import { request } from 'node:http';

export interface SocketRequest {
  /** Path of the Unix socket. */
  readonly socketPath: string;
  readonly method: 'GET' | 'POST';
  /** Path and query, encoded. */
  readonly path: string;
  /** Milliseconds for the answer, to its end. */
  readonly patienceMs: number;
}

export interface SocketAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * One HTTP request without a body over a Unix socket, on a connection of its own.
 * @throws Error of the system (ENOENT, ECONNREFUSED, EACCES …), one that says what was asked when no answer came in time, or that no socket is given
 */
export function askSocket({ socketPath, method, path, patienceMs }: SocketRequest): Promise<SocketAnswer> {
  return new Promise((resolve, reject) => {
    // Node would take it for "no socket at all" and ask whatever listens on port 80 of the host.
    if (socketPath === '') throw new Error('no socket is given');
    const signal = AbortSignal.timeout(patienceMs);
    const late = `${method} ${path} on ${socketPath}: no answer within ${patienceMs / 1000} s`;
    const fail = (error: Error) => reject(signal.aborted ? new Error(late) : error);
    const outgoing = request({ socketPath, method, path, agent: false, signal }, response => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      );
    });
    outgoing.on('error', fail);
    outgoing.end();
  });
}
