import type { Host } from '../../test/lab/host.ts';

/**
 * What a campaign believes to be there: the words of `docker` that succeeded, and nothing of tsnet's own. The campaign writes it, the
 * judge reads it beside the engine, the kernel and the store.
 */
export interface World {
  readonly networks: ReadonlyMap<string, WorldNetwork>;
  readonly containers: ReadonlyMap<string, WorldContainer>;
}

export type Mode =
  | 'bridge'
  | 'bridge-internal'
  | 'bridge-isolated'
  | 'bridge-foreign'
  | 'macvlan'
  | 'macvlan-self';

export interface WorldNetwork {
  readonly name: string;
  readonly mode: Mode;
  /** CIDR. */
  readonly subnet4: string;
  /** CIDR; absent: no IPv6. */
  readonly subnet6?: string;
  readonly ipam: 'default' | 'tsnet';
  /** The host's link that the network hangs on; absent: a bridge of its own. */
  readonly parent?: string;
  /** Cut off while it was created or removed: either way is right. */
  readonly uncertain: boolean;
}

export interface WorldContainer {
  readonly name: string;
  readonly state: 'running' | 'stopped';
  /** `restart: always`: runs again after a restart of the engine, of the host. */
  readonly restarts: boolean;
  /** Network's name to the address asked for (bare), or undefined where the engine chose. */
  readonly attachments: ReadonlyMap<string, string | undefined>;
  readonly ports: readonly WorldPort[];
  /** Cut off in an operation: either way is right, as long as engine, kernel and store agree. */
  readonly uncertain: boolean;
}

export interface WorldPort {
  readonly host: number;
  readonly container: number;
  readonly protocol: 'tcp' | 'udp';
}

/** A promise that was not kept. */
export interface Violation {
  /** The rule, in kebab-case: `address-held-twice`, `link-of-nothing`. */
  readonly rule: string;
  /** What it is about, as the user knows it: a container's, a network's, a link's name. */
  readonly subject: string;
  /** What was found and what was expected, in a sentence. */
  readonly detail: string;
}

/** A fault that the campaign can do to a host: it does it, and may undo it. */
export interface Fault {
  /** kebab-case, as the report counts it. */
  readonly kind: string;
  /**
   * What is done, between operations or during them.
   * @returns how it ends: undoes what does not heal by itself (a cable, a full disk) and waits until its end is done; the judge looks after it
   */
  readonly strike: (target: FaultTarget) => Promise<() => Promise<void>>;
}

/** What a fault is done to. */
export interface FaultTarget {
  readonly host: Host;
  /** tsnet on the host: pid, directories, start and kill. */
  readonly daemon: Daemon;
  readonly world: World;
  /** Numbers from the campaign's seed: an integer from 0 to below `limit`. */
  readonly random: (limit: number) => number;
}

export interface Daemon {
  readonly stateDir: string;
  readonly socket: string;
  readonly pid: () => number | undefined;
  readonly kill: () => Promise<void>;
  readonly start: (env?: Readonly<Record<string, string>>) => Promise<void>;
  /** Everything logged since the host was made. */
  readonly log: () => string;
}
