import { Agent, request } from 'node:http';

/** An answer of the Engine API. */
export interface ApiAnswer {
  status: number;
  /** The JSON document, or the text where the answer is none. */
  body: unknown;
}

/** A client of one engine's API on its Unix socket. Keeps its connections, so one per engine. */
export class EngineApi {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /**
   * One call. Every status is an answer, not an error.
   *
   * @param path with or without the API version, such as `/networks`
   * @param body sent as JSON, or as it is when it is a Buffer (a tar archive, for one)
   * @throws Error when the engine cannot be reached
   */
  async call(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    const payload = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    const type = Buffer.isBuffer(body) ? 'application/x-tar' : 'application/json';
    return new Promise((resolve, reject) => {
      const call = request(
        {
          agent: this.#agent,
          socketPath: this.#socketPath,
          method,
          path,
          headers: {
            host: 'docker',
            ...(payload === undefined ? {} : { 'content-type': type, 'content-length': payload.length }),
          },
        },
        async answer => {
          try {
            const chunks: Buffer[] = [];
            for await (const chunk of answer) chunks.push(chunk as Buffer);
            resolve({ status: answer.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString()) });
          } catch (error) {
            reject(error);
          }
        },
      );
      call.on('error', reject);
      call.end(payload);
    });
  }

  /** True when the engine answers. */
  async ping(): Promise<boolean> {
    try {
      return (await this.call('GET', '/_ping')).status === 200;
    } catch {
      return false;
    }
  }

  /** Drops the kept connections. */
  close(): void {
    this.#agent.destroy();
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
