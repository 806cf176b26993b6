import { closeSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { onlySpareLeft } from '../kernel/ports/descriptors.ts';
import { awaitFirstConnection, forgoArrival } from './first-arrival.ts';
import { admission, type Relay, type RelayTarget } from './relay.ts';

/** Connections of one relay; more are closed as they come, as are those that would take the descriptors which tsnet's other work needs. */
const MOST_CONNECTIONS = 10_000;
/** Go's value, and so docker-proxy's, in milliseconds: ends connections whose client is gone without a word. */
const KEEP_ALIVE = 15_000;

const SOCKET_OPTIONS = {
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: KEEP_ALIVE,
} as const;

/**
 * Relays TCP connections.
 * @param fd a bound socket that does not listen; the relay's from now on, unless it throws
 * @throws NetlinkError when it cannot be made to listen
 */
export function startTcpRelay(fd: number, first: RelayTarget): Relay {
  let target = first;
  let admits = admission(first);
  let server: Server | undefined;
  const open = new Set<Socket>();
  // What has come meanwhile waits in the socket's backlog and is accepted by the server.
  awaitFirstConnection(fd, () => {
    server = serve(fd, client => {
      track(open, client);
      if (onlySpareLeft() || !admits(client.remoteAddress ?? '::')) {
        client.resetAndDestroy();
        return;
      }
      const upstream = connect({ ...SOCKET_OPTIONS, host: target.address, port: target.port });
      track(open, upstream);
      join(client, upstream);
    });
  });

  const endConnections = () => {
    for (const socket of open) socket.resetAndDestroy();
  };
  return {
    retarget(next) {
      admits = admission(next);
      target = next;
      endConnections();
    },
    async close() {
      if (server === undefined) {
        forgoArrival(fd);
        closeSync(fd);
        return;
      }
      const { promise: closed, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      endConnections();
      await closed;
    },
  };
}

function serve(fd: number, onClient: (client: Socket) => void): Server {
  const server = createServer({ ...SOCKET_OPTIONS, pauseOnConnect: true }, onClient);
  server.maxConnections = MOST_CONNECTIONS;
  // A descriptor that cannot be accepted on: the connection is lost, the relay is not.
  server.on('error', () => {});
  server.listen({ fd, exclusive: true });
  return server.unref();
}

function track(open: Set<Socket>, socket: Socket): void {
  open.add(socket);
  socket.once('close', () => open.delete(socket));
  socket.unref();
}

/**
 * Passes on in both directions; each ends by itself, as TCP has it. A side that breaks off is reset on the other one:
 * a client must not take what it has got for all there was.
 */
function join(a: Socket, b: Socket): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    from.on('error', () => to.resetAndDestroy());
    // Destroyed without an error, as when the other side was reset: the pair goes together.
    from.on('close', () => {
      if (!from.readableEnded) to.resetAndDestroy();
    });
    from.pipe(to);
  }
}
