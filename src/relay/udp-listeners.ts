import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { closeSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { bindPort } from '../kernel/ports/bind-port.ts';
import { isSpare } from '../kernel/ports/descriptors.ts';
import { receiveDatagram } from '../kernel/ports/receive-datagram.ts';
import { setReceiveBuffer, setReuseAddress } from '../kernel/ports/sockets.ts';

/** Bytes; the kernel gives at most net.core.rmem_max. */
export const RECEIVE_BUFFER = 512 * 1024;
/** Datagrams that are read before other work of the event loop gets its turn. */
const MOST_WAITING = 256;
/** Addresses of the host that get a socket of their own. */
const MOST_ADDRESSES = 32;
/** Milliseconds between two looks at the addresses of the host. */
const LOOK_INTERVAL = 1000;

/** Addresses are never names here. */
export const lookup = (
  address: string,
  _: unknown,
  done: (error: null, address: string, family: number) => void,
): void => done(null, address, address.includes(':') ? 6 : 4);

export type OnDatagram = (listener: Socket, datagram: Buffer, from: RemoteInfo) => void;

/**
 * The sockets that receive what comes to one UDP port. An answer must come from the address that was asked, but the
 * socket of all addresses answers from the one that the kernel likes best, and node does not tell what address was
 * asked. So where the host has several, each has a socket of its own beside that.
 */
export class UdpListeners {
  readonly #port: number;
  readonly #onDatagram: OnDatagram;
  readonly #first: { readonly fd: number; readonly socket: Socket };
  readonly #isWildcard: boolean;
  readonly #byAddress = new Map<string, Socket>();
  #looked = Number.NEGATIVE_INFINITY;

  /** @param fd a socket bound to `place`, given over to libuv */
  constructor(fd: number, place: { address: string; port: number }, onDatagram: OnDatagram) {
    this.#port = place.port;
    this.#onDatagram = onDatagram;
    this.#isWildcard = place.address === '::';
    this.#first = { fd, socket: this.#listen(fd) };
    this.look();
  }

  /** Whether answers can still be sent by a socket. */
  has(listener: Socket): boolean {
    return listener === this.#first.socket || [...this.#byAddress.values()].includes(listener);
  }

  /** Follows the addresses of the host, not more often than is good. */
  look(): void {
    if (!this.#isWildcard || performance.now() - this.#looked < LOOK_INTERVAL) return;
    this.#looked = performance.now();
    const addresses = hostAddresses();
    if (addresses === undefined) return;
    for (const [address, socket] of this.#byAddress) {
      if (addresses.has(address)) continue;
      this.#byAddress.delete(address);
      socket.close();
    }
    for (const address of addresses) {
      if (!this.#byAddress.has(address)) this.#open(address);
    }
  }

  /** Hands over what came before each address had a socket of its own, as if it had come there. */
  readWaiting(): void {
    const { fd, socket } = this.#first;
    for (let count = 0; count < MOST_WAITING; count++) {
      const waiting = receiveDatagram(fd);
      if (waiting === undefined) return;
      const { data, from, to } = waiting;
      const address = `${from.address}${zoneOf(from.scope)}`;
      const listener = this.#byAddress.get(to ?? '') ?? socket;
      this.#onDatagram(listener, data, { address, port: from.port, family: 'IPv6', size: data.length });
    }
  }

  close(): Promise<unknown> {
    const sockets = [this.#first.socket, ...this.#byAddress.values()];
    this.#byAddress.clear();
    return Promise.all(sockets.map(socket => new Promise<void>(resolve => socket.close(resolve))));
  }

  #open(address: string): void {
    const { fd } = this.#first;
    try {
      // Two sockets can have the port while both allow it: for the length of this call.
      setReuseAddress(fd, true);
      const bound = bindPort({ protocol: 'udp', address, port: this.#port }, { reuse: true });
      if (typeof bound === 'string') return;
      if (isSpare(bound.fd)) closeSync(bound.fd);
      else this.#byAddress.set(address, this.#listen(bound.fd));
    } catch {
      // It is gone again, or not there yet (duplicate address detection): the socket of all addresses does meanwhile.
    } finally {
      setReuseAddress(fd, false);
    }
  }

  #listen(fd: number): Socket {
    const socket = createSocket({ type: 'udp6', lookup });
    socket.on('error', () => {});
    socket.on('message', (datagram, from) => this.#onDatagram(socket, datagram, from));
    setReceiveBuffer(fd, RECEIVE_BUFFER);
    socket.bind({ fd, exclusive: true });
    // libuv sets it on what it takes over; others could be bound to the port as well.
    setReuseAddress(fd, false);
    socket.unref();
    return socket;
  }
}

/** As node writes it behind a link-local address. @param scope index of the interface; 0: the address is none */
function zoneOf(scope: number): string {
  if (scope === 0) return '';
  const link = Object.entries(networkInterfaces()).find(([, addresses]) =>
    addresses?.some(({ scopeid }) => scopeid === scope),
  );
  return link === undefined ? '' : `%${link[0]}`;
}

/**
 * Those between which the kernel would choose; link-local ones and ::1 it takes for answers to their like only.
 * @returns undefined when the kernel cannot be asked: no descriptor is left
 */
function hostAddresses(): ReadonlySet<string> | undefined {
  try {
    const all = Object.values(networkInterfaces())
      .flatMap(addresses => addresses ?? [])
      .filter(({ family, address, scopeid }) => family === 'IPv6' && scopeid === 0 && address !== '::1')
      .map(({ address }) => address);
    return new Set(all.length < 2 ? [] : all.slice(0, MOST_ADDRESSES));
  } catch {
    return undefined;
  }
}
