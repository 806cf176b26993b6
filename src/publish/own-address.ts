import { EMPTY, type HostState, type Redirect } from '../host-state/types.ts';
import type { Endpoint, Network, PortRequest } from '../model.ts';
import { addressesOf } from '../modes/addressing.ts';
import { ANY4, ANY6 } from './wanted.ts';

/** A port that a container answers on at its own address, and the one that its process listens on. */
export interface OwnPort {
  readonly protocol: PortRequest['protocol'];
  /** The container's own, bare. */
  readonly address: string;
  readonly from: number;
  readonly to: number;
}

/**
 * The ports that `-p` opens on the container's own address: on a LAN where every container has one, `-p 80:8080` says
 * that its port 80 is to answer. A port without a number for the host is there already under its own; one for a host
 * address is meant for that address alone.
 */
export function ownPorts(network: Network, endpoint: Endpoint): readonly OwnPort[] {
  const { mode, publish } = network.options;
  if (mode !== 'macvlan' || network.internal || (publish !== 'self' && publish !== 'both')) return [];
  const found = new Map<string, OwnPort>();
  for (const address of addressesOf(endpoint)) {
    const any = address.includes(':') ? ANY6 : ANY4;
    for (const { protocol, port, hostIp, hostPort } of endpoint.ports) {
      if (hostIp !== undefined && hostIp !== any && hostIp !== address) continue;
      const from = hostPort || port;
      const key = `${protocol} ${address} ${from}`;
      // As of two processes that bind one port, the first has it.
      if (!found.has(key)) found.set(key, { protocol, address, from, to: port });
    }
  }
  return [...found.values()];
}

/** The redirections inside the sandbox; none where every port keeps its number. */
export function ownAddressState(network: Network, endpoint: Endpoint): HostState {
  const rules = ownPorts(network, endpoint).filter(({ from, to }) => from !== to);
  if (rules.length === 0 || endpoint.sandbox === undefined) return EMPTY;
  const redirect: Redirect = { sandbox: endpoint.sandbox, endpointId: endpoint.id, rules };
  return { ...EMPTY, redirects: [redirect] };
}
