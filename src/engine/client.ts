import { request } from 'node:http';
import { z } from 'zod';

/** Milliseconds for one answer, to its end. */
const PATIENCE = 3000;

const Info = z.object({ ID: z.string() });
const Networks = z.array(z.object({ Id: z.string(), Name: z.string() }));

export interface EngineView {
  /** The engine's own identity, which survives its restarts. */
  readonly engineId: string;
  readonly networks: readonly { readonly id: string; readonly name: string }[];
}

/**
 * Asks the Docker Engine who it is and what networks it has. Never from inside a handler: the engine holds locks while
 * it waits for the driver, and answers nothing until it has booted (projectcalico/libnetwork-plugin#49).
 * @param socketPath the engine's API socket
 * @throws Error when the engine does not answer within 3 s
 */
export async function viewEngine(socketPath: string): Promise<EngineView> {
  const info = Info.parse(JSON.parse(await get(socketPath, '/info')));
  const networks = Networks.parse(JSON.parse(await get(socketPath, '/networks')));
  return { engineId: info.ID, networks: networks.map(({ Id, Name }) => ({ id: Id, name: Name })) };
}

function get(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(PATIENCE);
    const options = { socketPath, path, agent: false, signal };
    const fail = (error: Error) =>
      reject(signal.aborted ? new Error(`GET ${path} on ${socketPath}: no answer within 3 s`) : error);
    const outgoing = request(options, response => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`GET ${path} on ${socketPath}: status ${response.statusCode}: ${text}`));
      });
    });
    outgoing.on('error', fail);
    outgoing.end();
  });
}
