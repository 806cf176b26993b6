import type { Op } from '../host-state/ops.ts';
import type { HostState, Observed } from '../host-state/types.ts';
import type { HostFacts } from '../modes/mode.ts';
import type { LinkInfo } from './link-info.ts';

/** What the rest of tsnet asks of the kernel; kernel/linux.ts is the one implementation. */
export interface Kernel {
  /**
   * Does the steps in order. A forward change stops at the first failure; a teardown goes on past failures and
   * throws them all together. Each step may already have been done: an add of what is there and a delete of what is
   * not succeed.
   * @param context how errors name what the steps are for: `network web`
   * @throws TsnetError KERNEL, KERNEL_UNSUPPORTED, LINK_TAKEN or FIREWALL
   */
  apply(ops: readonly Op[], options: { context: string; teardown?: boolean }): Promise<void>;

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

  facts(parents: Iterable<string>): Promise<HostFacts>;
  links(): Promise<LinkInfo[]>;
  link(name: string): Promise<LinkInfo | undefined>;
  isWireless(name: string): Promise<boolean>;
  /** The links in a sandbox; undefined when the sandbox is gone. @param path of its namespace */
  sandboxLinks(path: string): Promise<LinkInfo[] | undefined>;
  /** Whether the kernel can make dummy links; false on kernels built without. */
  hasDummy(): Promise<boolean>;
}
