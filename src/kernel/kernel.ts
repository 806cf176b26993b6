import type { Family } from '../addresses.ts';
import type { Op } from '../host-state/ops.ts';
import type { HostState, Observed, PortHold, PortProtocol } from '../host-state/types.ts';
import type { HostFacts } from '../modes/mode.ts';
import type { LinkInfo } from './link-info.ts';
import type { SandboxView } from './sandbox/view.ts';

/** A port to be held on one or several addresses of the host, on all or on none. */
export interface HoldRequest {
  readonly protocol: PortProtocol;
  /** Bare; `0.0.0.0` and `::` stand for every address of their family. */
  readonly addresses: readonly string[];
  /** 0: choose one. */
  readonly port: number;
  readonly owner: string;
}

/** What the rest of tsnet asks of the kernel; kernel/linux.ts is the one implementation. */
export interface Kernel {
  /**
   * Does the steps in order. A forward change stops at the first failure; a teardown goes on past failures and
   * throws them all together. Each step may already have been done: an add of what is there and a delete of what is
   * not succeed.
   * @param context how errors name what the steps are for: `network web`
   * @throws TsnetError KERNEL, KERNEL_UNSUPPORTED, LINK_TAKEN, FIREWALL, PORT_TAKEN or HOST_ADDRESS
   */
  apply(ops: readonly Op[], options: { context: string; teardown?: boolean }): Promise<void>;

  /**
   * Resolves when the kernel has done with the links of a teardown, which apply() does not wait for.
   * @returns whether they are gone
   */
  gone(names: readonly string[]): Promise<boolean>;

  /**
   * What of the host bears tsnet's mark, in terms of the desired state; what does not bear it is not in it.
   * @param desired names the sysctls to read
   */
  observe(desired: HostState): Promise<Observed>;

  /**
   * Sees to the one rule in Docker's DOCKER-USER chain that lets packets with tsnet's mark past Docker's FORWARD policy.
   * Nothing happens where there is no such chain.
   * @returns whether something had to be changed, and what could not be, in words
   */
  openDockerUser(): Promise<{ readonly changed: boolean; readonly problem?: string }>;

  /**
   * Holds a port of the host for an endpoint, ahead of the intent that names it: sockets die with the process.
   * Synchronous, so that of two containers only one gets it. A hold of the same owner that is there already is kept.
   * @param request port 0: the kernel chooses a free one, the same for all the addresses
   * @returns the hold of each address
   * @throws TsnetError PORT_TAKEN naming who has it, HOST_ADDRESS for an address that the host does not have
   */
  holdPort(request: HoldRequest): readonly PortHold[];

  /** Who holds a port of the host for tsnet; undefined: nobody. */
  holderOf(port: Pick<PortHold, 'protocol' | 'address' | 'port'>): string | undefined;

  /** @param options.guard read the host's own firewall as well (`-o firewall=ufw`) */
  facts(parents: Iterable<string>, options?: { readonly guard?: boolean }): Promise<HostFacts>;
  links(): Promise<LinkInfo[]>;
  link(name: string): Promise<LinkInfo | undefined>;
  isWireless(name: string): Promise<boolean>;
  /** The links in a sandbox; undefined when the sandbox is gone. @param path of its namespace */
  sandboxLinks(path: string): Promise<LinkInfo[] | undefined>;
  /**
   * What a sandbox holds; undefined when it cannot be looked into.
   * @param path of its namespace
   * @param families of the destinations that are of interest
   */
  viewSandbox(path: string, families: readonly Family[]): Promise<SandboxView | undefined>;
  /** Whether the kernel can make dummy links; false on kernels built without. */
  hasDummy(): Promise<boolean>;
}
