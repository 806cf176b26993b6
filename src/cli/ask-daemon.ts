import { z } from 'zod';
import { TsnetError } from '../errors.ts';
import type { DaemonStatus, ListedPort } from '../protocol/admin-router.ts';
import { askSocket, type SocketAnswer } from '../socket-request.ts';

/** Milliseconds for one answer, to its end. */
const PATIENCE = 10_000;

const port = z.int().min(0).max(65535);
const Refusal = z.object({ Err: z.string() });
const Listing = z.object({
  ports: z.array(
    z.object({
      networkId: z.string(),
      network: z.string().exactOptional(),
      endpointId: z.string(),
      mode: z.enum(['bridge', 'macvlan']),
      protocol: z.enum(['tcp', 'udp', 'sctp']),
      hostAddress: z.string(),
      hostPort: port,
      containerAddress: z.string(),
      containerPort: port,
      at: z.enum(['host', 'self']),
    }) satisfies z.ZodType<ListedPort>,
  ),
});

const count = z.int().min(0);
const Status = z.object({
  networks: count,
  endpoints: count,
  attached: z.object({ byEngine: count, inside: count, unopened: count }),
  orphans: z.array(
    z.object({
      name: z.string(),
      since: count,
      removedIn: count.exactOptional(),
      kept: z.string().exactOptional(),
    }),
  ),
  collected: count,
  store: z.object({ problem: z.string().exactOptional(), damaged: z.array(z.string()) }),
}) satisfies z.ZodType<DaemonStatus>;

/**
 * Asks the daemon for all published ports.
 * @param socketPath the plugin socket
 * @throws TsnetError DAEMON when it cannot be reached, or what it refused with
 */
export const askPorts = async (socketPath: string): Promise<readonly ListedPort[]> =>
  (await askDaemon(socketPath, '/Tsnet.Ports', Listing)).ports;

/** Asks the daemon how it is. @throws as askPorts() */
export const askStatus = (socketPath: string): Promise<DaemonStatus> =>
  askDaemon(socketPath, '/Tsnet.Status', Status);

async function askDaemon<T>(socketPath: string, path: string, answer: z.ZodType<T>): Promise<T> {
  const { status, text } = await ask(socketPath, path);
  const body = jsonOf(text);
  const listing = answer.safeParse(body);
  if (status === 200 && listing.success) return listing.data;
  const refusal = Refusal.safeParse(body);
  if (!refusal.success) {
    throw new TsnetError(
      'DAEMON',
      `what answers on ${socketPath} with status ${status} is no tsnet of this version`,
      {
        remedy: 'Restart the daemon if it is an older one, or name its socket with --socket.',
        cause: listing.error,
      },
    );
  }
  // One that lacks the method says so in words that are meant for the engine.
  const words = status === 404 ? 'it does not know the question' : refusal.data.Err.replace(/\.$/, '');
  throw new TsnetError('DAEMON', `the daemon on ${socketPath} refused: ${words}`, {
    remedy: status === 404 ? 'Restart it, for it is older than this program.' : 'See its log.',
  });
}

async function ask(socketPath: string, path: string): Promise<SocketAnswer> {
  try {
    return await askSocket({ socketPath, method: 'POST', path, patienceMs: PATIENCE });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new TsnetError('DAEMON', `no daemon can be asked on ${socketPath} (${message})`, {
      cause,
      remedy: REMEDIES[code ?? ''] ?? 'See the log of the daemon.',
    });
  }
}

const START = 'Start the daemon, or name the socket that it listens on with --socket.';
const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: START,
  ECONNREFUSED: START,
  EACCES: 'Run the command as root, to whom the socket belongs.',
};

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
