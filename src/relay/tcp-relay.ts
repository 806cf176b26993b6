import { connect, createServer, type Socket } from 'node:net';
import { admission, type Relay, type RelayTarget } from './relay.ts';

/** Connections of one relay; more are closed as they come, so that a crowd cannot take all descriptors of the daemon. */
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
 * @param fd a bound socket that listens; the relay's from now on
 */
export function startTcpRelay(fd: number, first: RelayTarget): Relay {
  let target = first;
  let admits = admission(first);
  const open = new Set<Socket>();
  const server = createServer({ ...SOCKET_OPTIONS, pauseOnConnect: true }, client => {
    track(open, client);
    if (!admits(client.remoteAddress ?? '::')) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ ...SOCKET_OPTIONS, host: target.address, port: target.port });
    track(open, upstream);
    join(client, upstream);
  });
  server.maxConnections = MOST_CONNECTIONS;
  // A descriptor that cannot be accepted on: the connection is lost, the relay is not.
  server.on('error', () => {});
  server.listen({ fd, exclusive: true });
  server.unref();

  const endConnections = () => {
    for (const socket of open) socket.resetAndDestroy();
  };
  return {
    retarget(next) {
      admits = admission(next);
      target = next;
      endConnections();
    },
    close() {
      const closed = new Promise<void>(resolve => server.close(() => resolve()));
      endConnections();
      return closed;
    },
  };
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
