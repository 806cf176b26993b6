import { diff } from '../host-state/diff.ts';
import { merge } from '../host-state/merge.ts';
import type { Op } from '../host-state/ops.ts';
import { EMPTY } from '../host-state/types.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Endpoint, Network } from '../model.ts';
import { desiredEndpoint, desiredHost, desiredNetwork } from '../modes/desired.ts';
import type { HostFacts } from '../modes/mode.ts';
import type { Changes } from './change.ts';
import type { Runner } from './runner.ts';
import type { State } from './state.ts';

/** What the two halves of the driver, networks and endpoints, work with. */
export interface Context {
  readonly state: State;
  readonly runner: Runner;
  readonly kernel: Kernel;
  readonly changes: Changes;
  /** Called when a network has been made: its name, which the protocol does not carry, can be asked for now. */
  readonly created: () => void;
  /** Called when a network has been removed, with its links. */
  readonly deleted: () => void;
  /** Called when ports of a container have been published. */
  readonly published: () => void;
  /** Called when a network could not be removed: the engine will not ask again. */
  readonly undone: (networkId: string) => void;
}

/** The facts that the desired state of a network's endpoints depends on, and of its removal. */
export const factsFor = (kernel: Kernel, network: Pick<Network, 'base'>): Promise<HostFacts> =>
  kernel.facts(linksUnder(network));

/** The facts that a network itself depends on. @throws TsnetError UFW_MISSING */
export const factsForNetwork = (
  kernel: Kernel,
  network: Pick<Network, 'base' | 'options'>,
): Promise<HostFacts> => kernel.facts(linksUnder(network), { guard: network.options.firewall === 'ufw' });

const linksUnder = ({ base }: Pick<Network, 'base'>): string[] =>
  base.kind === 'foreign' ? [base.link] : [];

/** The steps that bring a new network, or a new endpoint's share, into being on a host that lacks it. */
export const stepsToAdd = (network: Network, facts: HostFacts, endpoint?: Endpoint): Op[] =>
  diff(
    endpoint === undefined ? desiredNetwork(network, facts) : desiredEndpoint(network, endpoint, facts),
    EMPTY,
  );

/** The steps from an endpoint as it is to the same one as it is to be, in the same sandbox. */
export const stepsToChange = (network: Network, facts: HostFacts, from: Endpoint, to: Endpoint): Op[] =>
  diff(desiredEndpoint(network, to, facts), desiredEndpoint(network, from, facts));

/** The steps that take an endpoint's share away. */
export const stepsToDetach = (network: Network, endpoint: Endpoint, facts: HostFacts): Op[] =>
  diff(EMPTY, desiredEndpoint(network, endpoint, facts));

/** A network with its endpoints. */
export interface Inhabited {
  readonly network: Network;
  readonly endpoints: readonly Endpoint[];
}

/**
 * The steps that take a network away with whatever endpoints are left in it. What it shares with other networks on
 * the same link (the shim of a parent) stays, with the ways to their containers.
 */
export function stepsToRemove(going: Inhabited, others: readonly Inhabited[], facts: HostFacts): Op[] {
  const stateOf = ({ network, endpoints }: Inhabited) => desiredHost([network], () => endpoints, facts);
  const { link } = going.network.base;
  const rest = merge([EMPTY, ...others.filter(({ network }) => network.base.link === link).map(stateOf)]);
  return diff(rest, merge([rest, stateOf(going)]));
}

/** What is held while a network comes or goes: itself, and the link it hangs on, which others may share. */
export const networkKeys = (id: string, baseLink: string): string[] => [`network ${id}`, `link ${baseLink}`];
/** What is held while an endpoint comes or goes. */
export const endpointKeys = (networkId: string): string[] => [`network ${networkId}`];
