import { Agent, request } from 'node:http';

/** Speaks to the daemon as an engine does: connections that stay open, one call at a time on each. */
export class PluginClient {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /**
   * @param method such as `NetworkDriver.Join`
   * @throws Error of the system when there is no daemon, or with its words when it refuses
   */
  call(method: string, body?: object): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      const options = {
        socketPath: this.#socketPath,
        method: 'POST',
        path: `/${method}`,
        agent: this.#agent,
      };
      const outgoing = request(options, response => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(`limits: ${method}: ${text}`));
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body === undefined ? '' : JSON.stringify(body));
    });
  }

  /** @returns milliseconds until the answer */
  async timed(method: string, body?: object): Promise<number> {
    const start = performance.now();
    await this.call(method, body);
    return performance.now() - start;
  }

  close(): void {
    this.#agent.destroy();
  }
}
