import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Identity } from './identity.ts';

/**
 * tsnet's table in nftables and its links are one per network namespace, so there is room for one tsnet. Whoever has
 * bound this abstract socket has the place: its name belongs to the network namespace, and it goes with the process,
 * however that ends (unix(7), network_namespaces(7)).
 */
export const PLACE = 'tsnet/instance';

/** Those who wait keep a connection; anybody may connect, and must not use up the process's descriptors. */
const MOST_CONNECTIONS = 16;

export interface Place {
  /** Lets the next one in. */
  release(): void;
}

/**
 * Takes the place, if it is free, and tells everybody who connects who has it.
 * @returns undefined when somebody else has it
 */
export async function takePlace(own: Identity): Promise<Place | undefined> {
  const waiting = new Set<Socket>();
  const server = createServer(socket => {
    waiting.add(socket);
    // Kept open: its end tells the other that the place is free.
    socket
      .unref()
      .on('error', () => undefined)
      .on('close', () => waiting.delete(socket))
      .resume()
      .write(`${JSON.stringify(own)}\n`);
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.unref();
  try {
    const listening = once(server, 'listening');
    server.listen(`\0${PLACE}`);
    await listening;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
  return {
    release() {
      server.close();
      for (const socket of waiting) socket.destroy();
    },
  };
}
