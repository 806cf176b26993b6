import { closeSync, readFileSync } from 'node:fs';
import type { PortHold, PortProtocol } from '../../host-state/types.ts';
import type { Relay } from '../../relay/relay.ts';
import type { HoldRequest } from '../kernel.ts';
import { hasCode, NetlinkError } from '../netlink/netlink-error.ts';
import { type BindOptions, bindPort } from './bind-port.ts';
import { isSpare } from './descriptors.ts';
import { HoldBook, isWildcard, type Port } from './hold-book.ts';
import { explain, noPortFree, notOfHost } from './hold-errors.ts';
import { sameRelay, startRelay } from './hold-relay.ts';
import { hostAddress } from './host-address.ts';
import { onlyConnectionsOn, portUser } from './port-user.ts';
import { EADDRINUSE, EMFILE } from './sockets.ts';

/** How often another ephemeral port is tried when the one of the first address is taken on the second. */
const EPHEMERAL_ATTEMPTS = 100;

interface Entry {
  readonly hold: PortHold;
  /** Absent: only tsnet's own book has it, for the kernel has no such sockets. The relay's own when there is one. */
  readonly fd: number | undefined;
  readonly relay?: Relay;
}

export interface PortHoldsOptions {
  /** What error messages call the owner of a hold: `container web`. The owner's id by default. */
  readonly describeOwner?: (owner: string) => string;
}

/** The ports of the host that this process holds, each by a bound socket: see PortHold. */
export class PortHolds {
  readonly #book = new HoldBook<Entry>();
  readonly #describeOwner: (owner: string) => string;

  constructor({ describeOwner = owner => owner }: PortHoldsOptions = {}) {
    this.#describeOwner = describeOwner;
  }

  /**
   * Holds a port on all the addresses, or on none. What the same owner holds already stays as it is. `::` is left out
   * of the result on a host without IPv6.
   * @throws TsnetError PORT_TAKEN, PORTS_EXHAUSTED, DESCRIPTORS_EXHAUSTED, HOST_ADDRESS, ADDRESS_INVALID or KERNEL
   */
  hold(request: HoldRequest): readonly PortHold[] {
    const addresses = [...new Set(request.addresses.map(address => hostAddress(address).text))];
    const attempts = request.port === 0 ? EPHEMERAL_ATTEMPTS : 1;
    /** Ports that were free on the first address only; held until the end, so that the kernel chooses others. */
    const passed: Entry[] = [];
    try {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const holds = this.#holdOnAll({ ...request, addresses }, passed);
        if (holds !== 'taken') return holds;
      }
    } finally {
      for (const entry of passed) void this.#release(entry);
    }
    throw noPortFree(request.protocol, addresses);
  }

  /**
   * Holds a port as it was held before, also on an address that the host does not have yet. Nothing happens when it is
   * held so; where only the relay differs, that is replaced.
   * @throws TsnetError PORT_TAKEN, DESCRIPTORS_EXHAUSTED, HOST_ADDRESS or KERNEL
   */
  add(hold: PortHold): void {
    const present = this.#book.get(hold);
    try {
      if (present?.hold.owner === hold.owner) this.#update(present, hold);
      else this.#open(hold, { freebind: true });
    } catch (error) {
      throw explain(hold, error, port => this.#taker(port));
    }
  }

  /** Gives a port back and ends the connections of its relay. Nothing happens when it is not this owner's. */
  async delete(hold: PortHold): Promise<void> {
    const entry = this.#book.get(hold);
    if (entry?.hold.owner === hold.owner) await this.#release(entry);
  }

  /** The owner of the hold that has a port, be it with every address of the host; undefined: there is none. */
  holderOf(port: Port): string | undefined {
    return this.#book.conflict(port)?.hold.owner;
  }

  list(): readonly PortHold[] {
    return this.#book.values().map(entry => entry.hold);
  }

  /** Gives all ports back. */
  async close(): Promise<void> {
    await Promise.all(this.#book.values().map(entry => this.#release(entry)));
  }

  /**
   * @param passed gets what was held of an ephemeral port that is taken on a later address
   * @returns `taken` then
   */
  #holdOnAll(
    { protocol, addresses, owner, port: wanted }: HoldRequest,
    passed: Entry[],
  ): PortHold[] | 'taken' {
    const fresh: Entry[] = [];
    const holds: PortHold[] = [];
    let current: PortHold | undefined;
    try {
      for (const address of addresses) {
        const port: number = holds[0]?.port ?? wanted;
        current = { protocol, address, port, owner };
        const present = this.#book.get(current);
        if (present?.hold.owner === owner) {
          holds.push(present.hold);
          continue;
        }
        const entry = this.#open(current, { addresses });
        if (entry === undefined) continue;
        fresh.push(entry);
        holds.push(entry.hold);
      }
      return holds;
    } catch (error) {
      const isTaken = wanted === 0 && hasCode(error, 'EADDRINUSE');
      if (isTaken && current?.port !== 0) {
        passed.push(...fresh);
        return 'taken';
      }
      for (const entry of fresh) void this.#release(entry);
      if (isTaken) throw noPortFree(protocol, addresses, error);
      throw current === undefined ? error : explain(current, error, port => this.#taker(port));
    }
  }

  /**
   * @param options.addresses on which an ephemeral port is to be free
   * @returns undefined for `::` where there is no IPv6, unless `options.freebind`
   * @throws NetlinkError, or TsnetError where it says more
   */
  #open(hold: PortHold, options: BindOptions & { addresses?: readonly string[] }): Entry | undefined {
    if (this.#book.conflict(hold) !== undefined) throw new NetlinkError(EADDRINUSE, 'hold');
    const bound = bindPast(hold, options);
    if (bound === 'no-family' && !options.freebind) {
      if (isWildcard(hold.address)) return undefined;
      throw notOfHost(hold);
    }
    if (typeof bound !== 'string') {
      if (isSpare(bound.fd)) {
        closeSync(bound.fd);
        throw new NetlinkError(EMFILE, 'hold');
      }
      return this.#enter({ ...hold, port: bound.port }, bound.fd);
    }
    const { addresses = [hold.address] } = options;
    const port = hold.port === 0 ? this.#freeInBook(hold.protocol, addresses) : hold.port;
    return this.#enter({ ...hold, port }, undefined);
  }

  #enter(hold: PortHold, fd: number | undefined): Entry {
    const relay = fd === undefined ? undefined : startRelay(fd, hold);
    const entry: Entry = { hold, fd, ...(relay === undefined ? {} : { relay }) };
    this.#book.set(entry);
    return entry;
  }

  #update(present: Entry, hold: PortHold): void {
    if (sameRelay(present.hold, hold)) return;
    if (hold.relay !== undefined && present.relay !== undefined) {
      present.relay.retarget(hold.relay);
      this.#book.set({ ...present, hold });
    } else if (hold.relay !== undefined && present.fd !== undefined) {
      this.#book.delete(present.hold);
      this.#enter(hold, present.fd);
    } else {
      // A socket that listens cannot be made to stop without closing it.
      void this.#release(present);
      this.#open(hold, { freebind: true });
    }
  }

  async #release(entry: Entry): Promise<void> {
    this.#book.delete(entry.hold);
    if (entry.relay !== undefined) await entry.relay.close();
    else if (entry.fd !== undefined) closeSync(entry.fd);
  }

  #freeInBook(protocol: PortProtocol, addresses: readonly string[]): number {
    const [low, high] = ephemeralRange();
    const count = high - low + 1;
    const start = Math.floor(Math.random() * count);
    for (let i = 0; i < count; i++) {
      const port = low + ((start + i) % count);
      if (addresses.every(address => this.#book.conflict({ protocol, address, port }) === undefined))
        return port;
    }
    throw noPortFree(protocol, addresses);
  }

  /** Who has a port that cannot be held, in words. */
  #taker(port: Port): string {
    const owner = this.holderOf(port);
    return owner === undefined ? portUser(port) : this.#describeOwner(owner);
  }
}

/**
 * What is left of the connections of a server that has ended keeps its port for a minute (TIME_WAIT), and only those
 * that set SO_REUSEADDR get past it, as servers do.
 */
function bindPast(hold: PortHold, options: BindOptions): ReturnType<typeof bindPort> {
  try {
    return bindPort(hold, options);
  } catch (error) {
    if (!hasCode(error, 'EADDRINUSE') || hold.port === 0 || !onlyConnectionsOn(hold)) throw error;
    return bindPort(hold, { ...options, reuse: true });
  }
}

/** The range that the kernel itself chooses from, IPv6 included. */
function ephemeralRange(): readonly [number, number] {
  const [low = 32768, high = 60999] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .trim()
    .split(/\s+/)
    .map(Number);
  return [low, high];
}
