import type { Guard, HostState } from '../host-state/types.ts';
import type { Endpoint, Network } from '../model.ts';
import type { JoinAnswer } from '../protocol/types.ts';

/** What a mode has to know of a link that it builds on and did not make: a macvlan parent, somebody's bridge. */
export interface ParentFacts {
  readonly name: string;
  readonly mtu: number;
  /** `aa:bb:…`; absent for a link without a link-layer address. */
  readonly mac?: string;
  /** The host's own global addresses on it, CIDR. */
  readonly addresses4: readonly string[];
  readonly addresses6: readonly string[];
}

/** The part of the host's condition that desired state depends on: read once a call, passed in. */
export interface HostFacts {
  /** Whether the kernel has IPv6 at all (`ipv6.disable=1` takes every IPv6 sysctl away). */
  readonly ipv6: boolean;
  /** By name; a link that is not there at present is not in it. */
  readonly parents: ReadonlyMap<string, ParentFacts>;
  /** The host's own firewall, for networks whose published ports it is to judge; absent where it is not active. */
  readonly guard?: Guard;
}

/**
 * A way of attaching containers, as pure functions without I/O. The state of a whole network is the union of
 * `network` and of `endpoint` for each endpoint; attaching one container applies only its own share.
 */
export interface Mode {
  network(network: Network, facts: HostFacts): HostState;
  /** The share of an endpoint that has joined. */
  endpoint(network: Network, endpoint: Endpoint, facts: HostFacts): HostState;
  join(network: Network, endpoint: Endpoint): JoinAnswer;
}
