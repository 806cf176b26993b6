import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Log } from '../log.ts';
import { takeActivationFd } from './activation.ts';
import { freeSocketPath } from './socket-path.ts';

/** Everything but reading and writing by the owner. */
const OWNER_ONLY_UMASK = 0o177;
/** Milliseconds that a request which is on its way at the end has to come whole: an engine sends it in one go. */
const ARRIVAL_MS = 1000;
/** A little above the deadline of calls, so that each can still be answered. */
const DEFAULT_GRACE_MS = 27_000;

export interface Listener {
  readonly server: Server;
  /** What it listens on, for the log: a path, or the name of the descriptor that systemd passed. */
  readonly where: string;
  /**
   * Takes no more connections, lets calls in flight finish, closes the rest. The daemon's own socket file is
   * removed, that of a socket unit stays.
   * @param graceMs milliseconds after which connections are cut whatever they do
   */
  close(graceMs?: number): Promise<void>;
}

/**
 * Serves the plugin's interface on a Unix socket that root alone can open, or on the one that systemd passed.
 * @param options.socketPath absolute; not used under socket activation
 * @throws TsnetError SOCKET_IN_USE, SOCKET_PATH
 */
export const listen = async (options: {
  readonly app: RequestListener;
  readonly socketPath: string;
  readonly log: Log;
  readonly env?: NodeJS.ProcessEnv;
}): Promise<Listener> => {
  const { socketPath, log } = options;
  const fd = takeActivationFd(options.env);
  if (fd === undefined) await freeSocketPath(socketPath);
  const server = createPluginServer(options.app);
  const incomplete = incompleteConnections(server);
  const listening = once(server, 'listening');
  if (fd === undefined) listenOwnerOnly(server, socketPath);
  else server.listen({ fd });
  await listening;
  const where = fd === undefined ? socketPath : `socket ${fd} of systemd`;
  log.info('listening', { where });
  return { server, where, close: graceMs => close(server, incomplete, graceMs ?? DEFAULT_GRACE_MS) };
};

/**
 * The connections on which no whole request has come. Go's client opens some ahead of need, and Node takes them for busy ones
 * (closeIdleConnections() leaves them), so that the end of the daemon would wait for them.
 */
const incompleteConnections = (server: Server): ReadonlySet<Socket> => {
  const incomplete = new Set<Socket>();
  server.on('connection', socket => {
    incomplete.add(socket);
    socket.once('close', () => incomplete.delete(socket));
  });
  // 'end' comes with the last of the body, also of an empty one, once that has been read.
  server.on('request', request => request.once('end', () => incomplete.delete(request.socket)));
  return incomplete;
};

/**
 * An HTTP server that never closes a connection by itself. The engine keeps its connections for ever; a request that
 * meets a close is repeated by it without its body (moby#35459) and so is lost.
 */
const createPluginServer = (app: RequestListener): Server => {
  const server = createServer(
    {
      // 0 is no limit. That of headers would also close a connection on which nothing has been sent yet, and Go's
      // client opens some ahead of need. Only root can connect, so no stranger can hold connections open.
      keepAliveTimeout: 0,
      headersTimeout: 0,
      requestTimeout: 0,
      // Engines before 23 send an empty one.
      requireHostHeader: false,
    },
    app,
  );
  server.timeout = 0;
  server.maxRequestsPerSocket = 0;
  // After close() a connection whose last answer has just been written would stay open, idle, for ever.
  server.on('request', (_, response) =>
    response.once('close', () => {
      if (!server.listening) setImmediate(() => server.closeIdleConnections());
    }),
  );
  return server;
};

/** Binding happens inside of `listen`, so nothing else of this process runs under the narrow umask. */
const listenOwnerOnly = (server: Server, path: string): void => {
  const umask = process.umask(OWNER_ONLY_UMASK);
  try {
    server.listen(path);
  } finally {
    process.umask(umask);
  }
};

const close = async (server: Server, incomplete: ReadonlySet<Socket>, graceMs: number): Promise<void> => {
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  const arrival = setTimeout(() => {
    for (const socket of incomplete) socket.destroy();
  }, ARRIVAL_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      server.close(error => (error === undefined ? resolve() : reject(error)));
      for (const socket of incomplete) if (socket.bytesRead === 0) socket.destroy();
    });
  } finally {
    clearTimeout(timer);
    clearTimeout(arrival);
  }
};
