import type { Family } from '../../addresses.ts';
import type { PortHold, PortProtocol } from '../../host-state/types.ts';
import { hostAddress } from './host-address.ts';

export type Port = Pick<PortHold, 'protocol' | 'address' | 'port'>;

/** What is held of one protocol in one family: by canonical address, which are few, and by port. */
type Space<E> = Map<string, Map<number, E>>;

const spaces = <E>(): Record<Family, Space<E>> => ({ 4: new Map(), 6: new Map() });

/**
 * The ports that are held, by the rule that the kernel has for sockets without SO_REUSEADDR: two of one protocol,
 * family and port exclude each other when their addresses are equal, or one is the wildcard. (The IPv6 sockets of
 * tsnet are IPV6_V6ONLY, so families do not meet.)
 */
export class HoldBook<E extends { readonly hold: PortHold }> {
  readonly #spaces: Readonly<Record<PortProtocol, Record<Family, Space<E>>>> = {
    tcp: spaces(),
    udp: spaces(),
    sctp: spaces(),
  };

  /** What is held on just this address. */
  get({ protocol, address, port }: Port): E | undefined {
    const { family, text } = hostAddress(address);
    return this.#spaces[protocol][family].get(text)?.get(port);
  }

  /** What is held that excludes `port`, the entry of just its address first. */
  conflict({ protocol, address, port }: Port): E | undefined {
    const { family, text, isWildcard } = hostAddress(address);
    const space = this.#spaces[protocol][family];
    const own = space.get(text)?.get(port);
    if (own !== undefined) return own;
    if (!isWildcard) return space.get(WILDCARD[family])?.get(port);
    for (const entries of space.values()) {
      const entry = entries.get(port);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  set(entry: E): void {
    const { protocol, address, port } = entry.hold;
    const { family, text } = hostAddress(address);
    const space = this.#spaces[protocol][family];
    const entries = space.get(text);
    if (entries === undefined) space.set(text, new Map([[port, entry]]));
    else entries.set(port, entry);
  }

  delete({ protocol, address, port }: Port): void {
    const { family, text } = hostAddress(address);
    const space = this.#spaces[protocol][family];
    const entries = space.get(text);
    entries?.delete(port);
    if (entries?.size === 0) space.delete(text);
  }

  values(): E[] {
    return Object.values(this.#spaces)
      .flatMap(families => [families[4], families[6]])
      .flatMap(space => [...space.values()])
      .flatMap(entries => [...entries.values()]);
  }
}

const WILDCARD: Readonly<Record<Family, string>> = { 4: '0.0.0.0', 6: '::' };

/** Whether an address stands for every address of its family. */
export const isWildcard = (address: string): boolean => hostAddress(address).isWildcard;
