import type { FlowMatch } from './flows.ts';
import type {
  Address,
  FirewallElement,
  Guard,
  Link,
  Neighbour,
  Place,
  PortHold,
  Redirect,
  Route,
  SandboxEnd,
  Sysctl,
} from './types.ts';

/** The properties of an existing link that tsnet corrects in place. */
export interface LinkChanges {
  readonly up?: boolean;
  readonly mtu?: number;
  readonly mac?: string;
  /** Bridge to be a port of; `null` takes the link out of whatever it is in. */
  readonly master?: string | null;
  readonly isolated?: boolean;
  readonly hairpin?: boolean;
}

/** One step from one host state towards another. */
export type Op =
  | { readonly op: 'link.add'; readonly link: Link }
  | { readonly op: 'link.set'; readonly link: Link; readonly changes: LinkChanges }
  | { readonly op: 'link.delete'; readonly name: string; readonly alias: string; readonly place?: Place }
  /** Sets up, and sets going, an interface that is inside a sandbox already. */
  | { readonly op: 'end.set'; readonly end: SandboxEnd }
  | { readonly op: 'address.add'; readonly address: Address }
  | { readonly op: 'address.delete'; readonly address: Address }
  | { readonly op: 'route.set'; readonly route: Route }
  | { readonly op: 'route.delete'; readonly route: Route }
  | { readonly op: 'neighbour.set'; readonly neighbour: Neighbour }
  | { readonly op: 'neighbour.delete'; readonly neighbour: Neighbour }
  | { readonly op: 'sysctl.set'; readonly sysctl: Sysctl }
  /** Replaces tsnet's whole table, in one transaction: it is missing, of another version, or was changed by hand. */
  | {
      readonly op: 'firewall.rebuild';
      readonly elements: readonly FirewallElement[];
      readonly guard: Guard | undefined;
    }
  /** Replaces the rules of the host's own firewall that published ports are judged by. */
  | { readonly op: 'firewall.guard'; readonly guard: Guard | undefined }
  | {
      readonly op: 'firewall';
      readonly add: readonly FirewallElement[];
      readonly delete: readonly FirewallElement[];
    }
  | { readonly op: 'hold.add'; readonly hold: PortHold }
  | { readonly op: 'hold.delete'; readonly hold: PortHold }
  | { readonly op: 'redirect.set'; readonly redirect: Redirect }
  | { readonly op: 'redirect.delete'; readonly redirect: Redirect }
  /** Ends tracked connections, in the background, so that the next packet meets the rules as they are now. */
  | { readonly op: 'flows.forget'; readonly flows: readonly FlowMatch[] }
  /** Waits until those of earlier holders of these addresses, bare, have ended. */
  | { readonly op: 'flows.settle'; readonly containers: readonly string[] };

/** One line for the call log: what a step changes, in the words of `ip` and `nft`. */
export function describe(op: Op): string {
  switch (op.op) {
    case 'link.add':
      return `+link ${op.link.name} (${op.link.kind})`;
    case 'link.set':
      return `~link ${op.link.name} ${Object.entries(op.changes)
        .map(([key, value]) => `${key}=${value}`)
        .join(' ')}`;
    case 'link.delete':
      return `-link ${op.name}`;
    case 'end.set':
      return `~link ${op.end.name} in ${op.end.sandbox}`;
    case 'address.add':
      return `+address ${op.address.address} dev ${op.address.link}`;
    case 'address.delete':
      return `-address ${op.address.address} dev ${op.address.link}`;
    case 'route.set':
      return `+route ${op.route.destination} dev ${op.route.link}`;
    case 'route.delete':
      return `-route ${op.route.destination} dev ${op.route.link}`;
    case 'neighbour.set':
      return `+neighbour ${op.neighbour.address} dev ${op.neighbour.link}${op.neighbour.entry === 'proxy' ? ' proxy' : ''}`;
    case 'neighbour.delete':
      return `-neighbour ${op.neighbour.address} dev ${op.neighbour.link}`;
    case 'sysctl.set':
      return `~sysctl ${op.sysctl.path}=${op.sysctl.value}`;
    case 'firewall.rebuild':
      return `~firewall table with ${op.elements.length} elements`;
    case 'firewall.guard':
      return `~firewall guard with ${op.guard?.rules.length ?? 0} rules`;
    case 'firewall':
      return `~firewall +${op.add.length} -${op.delete.length}`;
    case 'hold.add':
      return `+port ${portText(op.hold)}`;
    case 'hold.delete':
      return `-port ${portText(op.hold)}`;
    case 'redirect.set':
      return `~redirect of ${op.redirect.rules.length} port(s) in ${op.redirect.sandbox}`;
    case 'redirect.delete':
      return `-redirect in ${op.redirect.sandbox}`;
    case 'flows.forget':
      return `-flows of ${op.flows.length} match(es)`;
    case 'flows.settle':
      return `=flows of ${op.containers.join(', ')}`;
  }
}

/** What steps change, a line each, without those that only wait. */
export const changesOf = (ops: readonly Op[]): string[] =>
  ops.filter(({ op }) => op !== 'flows.settle').map(describe);

/** Names of the links that steps delete inside containers: nothing on the host bears their mark. */
export const hiddenLinks = (ops: readonly Op[]): string[] =>
  ops.flatMap(op => (op.op === 'link.delete' && op.place !== undefined ? op.name : []));

/** `127.0.0.1:80/tcp`, `[::]:80/udp` */
export const portText = ({
  address,
  port,
  protocol,
}: Pick<PortHold, 'address' | 'port' | 'protocol'>): string =>
  `${address.includes(':') ? `[${address}]` : address}:${port}/${protocol}`;
