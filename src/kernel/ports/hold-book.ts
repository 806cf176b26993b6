import { type Family, familyOf, formatAddress, parseAddress } from '../../addresses.ts';
import { holdKey } from '../../host-state/keys.ts';
import type { PortHold } from '../../host-state/types.ts';

export type Port = Pick<PortHold, 'protocol' | 'address' | 'port'>;

/**
 * The ports that are held, by the rule that the kernel has for sockets without SO_REUSEADDR: two of one protocol,
 * family and port exclude each other when their addresses are equal, or one is the wildcard. (The IPv6 sockets of
 * tsnet are IPV6_V6ONLY, so families do not meet.)
 */
export class HoldBook<E extends { readonly hold: PortHold }> {
  readonly #entries = new Map<string, E>();
  readonly #byPort = new Map<string, Set<E>>();

  /** What is held on just this address. */
  get(port: Port): E | undefined {
    return this.#entries.get(holdKey(canonical(port)));
  }

  /** What is held that excludes `port`, the entry of just its address first. */
  conflict(port: Port): E | undefined {
    const own = this.get(port);
    if (own !== undefined) return own;
    const wide = isWildcard(port.address);
    for (const entry of this.#byPort.get(portKey(port)) ?? []) {
      if (wide || isWildcard(entry.hold.address)) return entry;
    }
    return undefined;
  }

  set(entry: E): void {
    this.delete(entry.hold);
    this.#entries.set(holdKey(canonical(entry.hold)), entry);
    const key = portKey(entry.hold);
    const others = this.#byPort.get(key);
    if (others === undefined) this.#byPort.set(key, new Set([entry]));
    else others.add(entry);
  }

  delete(port: Port): void {
    const entry = this.get(port);
    if (entry === undefined) return;
    this.#entries.delete(holdKey(canonical(port)));
    const key = portKey(port);
    const others = this.#byPort.get(key);
    others?.delete(entry);
    if (others?.size === 0) this.#byPort.delete(key);
  }

  values(): E[] {
    return [...this.#entries.values()];
  }
}

export function canonical<P extends Port>(port: P): P {
  const { family, value } = parseAddress(port.address);
  return { ...port, address: formatAddress(family, value) };
}

/** Whether an address stands for every address of its family. */
export const isWildcard = (address: string): boolean => parseAddress(address).value === 0n;

const portKey = (port: Port): string =>
  `${port.protocol} ${familyOf(port.address) satisfies Family} ${port.port}`;
