import { z } from 'zod';
import { askSocket } from '../socket-request.ts';
import type { EngineRelease } from './known-faults.ts';

/** Milliseconds for one answer, to its end. */
const PATIENCE = 3000;

const Info = z.object({
  ID: z.string(),
  ServerVersion: z.string().optional(),
  LiveRestoreEnabled: z.boolean().optional(),
});
const Networks = z.array(z.object({ Id: z.string(), Name: z.string() }));
const Containers = z.array(
  z.object({
    Names: z.array(z.string()),
    NetworkSettings: z.object({
      Networks: z.record(z.string(), z.object({ EndpointID: z.string() })).nullish(),
    }),
  }),
);

export interface EngineView {
  /** The engine's own identity, which survives its restarts. */
  readonly engineId: string;
  readonly release: EngineRelease;
  readonly networks: readonly { readonly id: string; readonly name: string }[];
}

/** Where a running container is attached, in the names that users give. */
export interface Attachment {
  readonly container: string;
  readonly network: string;
}

/**
 * Asks the Docker Engine who it is and what networks it has. Never from inside a handler: the engine holds locks while
 * it waits for the driver, and answers nothing until it has booted (projectcalico/libnetwork-plugin#49).
 * @param socketPath the engine's API socket
 * @throws Error when the engine does not answer within 3 s
 */
export async function viewEngine(socketPath: string): Promise<EngineView> {
  const info = Info.parse(await askEngine(socketPath, '/info'));
  const networks = Networks.parse(await askEngine(socketPath, '/networks'));
  return {
    engineId: info.ID,
    release: { version: info.ServerVersion ?? '', liveRestore: info.LiveRestoreEnabled ?? false },
    networks: networks.map(({ Id, Name }) => ({ id: Id, name: Name })),
  };
}

/**
 * Asks the Docker Engine which running containers are attached to some networks. Never from inside a handler, as above.
 * @param networkIds full ids
 * @returns attachments by the id of their endpoint
 * @throws Error when the engine does not answer within 3 s
 */
export async function viewAttachments(
  socketPath: string,
  networkIds: readonly string[],
): Promise<ReadonlyMap<string, Attachment>> {
  const filters = encodeURIComponent(JSON.stringify({ network: networkIds }));
  const containers = Containers.parse(await askEngine(socketPath, `/containers/json?filters=${filters}`));
  return new Map(
    containers.flatMap(({ Names, NetworkSettings }) =>
      Object.entries(NetworkSettings.Networks ?? {}).map(([network, { EndpointID }]) => [
        EndpointID,
        { container: ownName(Names), network },
      ]),
    ),
  );
}

/** `/web`; a name with more slashes is another container's link to it. */
const ownName = (names: readonly string[]): string =>
  (names.find(name => name.lastIndexOf('/') === 0) ?? names[0] ?? '').replace(/^\//, '');

/**
 * Asks the engine's API for something that is there to be read.
 * @param path with its query, encoded
 * @param patienceMs milliseconds for the answer, to its end
 * @returns JSON, of a form that is yet to be checked
 * @throws Error when it does not answer in time, or with something else than success
 */
export async function askEngine(
  socketPath: string,
  path: string,
  patienceMs: number = PATIENCE,
): Promise<unknown> {
  const { status, text } = await askSocket({ socketPath, method: 'GET', path, patienceMs });
  if (status !== 200) throw new Error(`GET ${path} on ${socketPath}: status ${status}: ${text}`);
  return JSON.parse(text);
}
