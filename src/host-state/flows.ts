import type { FirewallElement, PortProtocol } from './types.ts';

/** Tracked connections (conntrack) by what they have in common; each field that is there narrows the match. */
export interface FlowMatch {
  readonly family: 4 | 6;
  readonly protocol?: PortProtocol;
  /** Bare address of a container that the connection begins or ends at. */
  readonly container?: string;
  /** Port of the container that answers; only together with `container` and `protocol`. */
  readonly containerPort?: number;
  /** Port that the first packet was sent to; only together with `protocol`. Without a container: of connections with the host itself. */
  readonly hostPort?: number;
}

const PUBLISHING: ReadonlySet<string> = new Set(['publish4', 'publish6', 'publish_at4', 'publish_at6']);

/**
 * The connections that changes of published ports put in the wrong: those through a mapping that is gone, which would
 * go on reaching whoever gets the container's address next, and UDP exchanges that began before their mapping, which
 * conntrack would go on delivering to the host (moby#8795).
 */
export function flowsAfter(
  added: readonly FirewallElement[],
  removed: readonly FirewallElement[],
): readonly FlowMatch[] {
  const flows: FlowMatch[] = [];
  for (const { set, key, value } of removed) {
    const protocol = key.at(-2);
    const [container, port] = value ?? [];
    if (!PUBLISHING.has(set) || container === undefined) continue;
    flows.push({
      family: set.endsWith('4') ? 4 : 6,
      protocol: protocol as PortProtocol,
      container,
      containerPort: Number(port),
      hostPort: Number(key.at(-1)),
    });
  }
  for (const { set, key } of added) {
    if (!PUBLISHING.has(set) || key.at(-2) !== 'udp') continue;
    flows.push({ family: set.endsWith('4') ? 4 : 6, protocol: 'udp', hostPort: Number(key.at(-1)) });
  }
  return flows;
}

/** Every connection of a container. @param address bare */
export const flowsOfResident = (address: string): FlowMatch => ({
  family: address.includes(':') ? 6 : 4,
  container: address,
});
