import { readFileSync } from 'node:fs';
import type { Family } from '../../addresses.ts';
import type { LinkInfo } from '../link-info.ts';
import { NamespaceError, NetworkNamespace } from '../netns.ts';
import { readSysctl } from '../sysctl.ts';
import { inSandbox } from './enter.ts';
import { linkNames, routes4, routes6 } from './proc-net.ts';

/** What a sandbox holds, as far as it matters to an interface that is to be added. */
export interface SandboxView {
  /** Names of its links, the loopback left out. */
  readonly links: readonly string[];
  /** CIDRs that its routes of the families asked for lead to, without default routes. */
  readonly destinations: readonly string[];
  /** Whether its loopback has IPv6; false where IPv6 was not asked for. */
  readonly ipv6: boolean;
}

/**
 * Looks into a sandbox by way of /proc/net. Each Join does so, and there the kernel needs neither its RTNL lock nor a worker that
 * waits for it: it is a few small files, each of which takes a while on a processor that has done something else in between.
 * @param families what destinations are asked for
 * @returns undefined when it cannot be looked into: gone, no namespace, or closed to tsnet
 */
export function viewSandbox(path: string, families: readonly Family[]): SandboxView | undefined {
  let namespace: NetworkNamespace | undefined;
  try {
    namespace = NetworkNamespace.open(path);
    return namespace.run(() => {
      const links = linkNames(read('dev')).filter(name => name !== 'lo');
      const ipv6 = families.includes(6) && readSysctl('net/ipv6/conf/lo/disable_ipv6') === '0';
      if (links.length === 0) return { links, destinations: [], ipv6 };
      const destinations = [
        ...(families.includes(4) ? routes4(read('route')) : []),
        ...(ipv6 ? routes6(read('ipv6_route')) : []),
      ];
      return { links, destinations, ipv6 };
    });
  } catch (error) {
    if (error instanceof NamespaceError) return undefined;
    throw error;
  } finally {
    namespace?.close();
  }
}

/** Of the calling thread, which is in the sandbox's namespace. */
const read = (file: string): string => readFileSync(`/proc/thread-self/net/${file}`, 'utf8');

/**
 * The links inside a sandbox.
 * @returns undefined when the path is gone or is no network namespace (any more)
 * @throws NamespaceError when the namespace may not be entered
 */
export const sandboxLinks = (path: string): Promise<LinkInfo[] | undefined> =>
  inSandbox(path, ({ rtnetlink }) => rtnetlink.links());
