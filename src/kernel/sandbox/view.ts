import type { LinkInfo } from '../link-info.ts';
import { NamespaceError } from '../netns.ts';
import { RT_TABLE_MAIN } from '../rtnetlink/constants.ts';
import { inSandbox } from './enter.ts';

/** What a sandbox holds, as far as it matters to an interface that is to be added. */
export interface SandboxView {
  readonly links: readonly LinkInfo[];
  /** CIDRs that its routes lead to, without default routes. */
  readonly destinations: readonly string[];
  /** Whether its loopback has IPv6. */
  readonly ipv6: boolean;
}

/** @returns undefined when it cannot be looked into: gone, no namespace, or closed to tsnet */
export async function viewSandbox(path: string): Promise<SandboxView | undefined> {
  try {
    return await inSandbox(path, async ({ rtnetlink, parameters }) => {
      const links = await rtnetlink.links();
      const ipv6 = parameters.read('net/ipv6/conf/lo/disable_ipv6') === '0';
      if (links.every(link => link.loopback)) return { links, destinations: [], ipv6 };
      const routes = await rtnetlink.routes({ table: RT_TABLE_MAIN });
      const destinations = routes.map(route => route.destination).filter(text => !text.endsWith('/0'));
      return { links, destinations, ipv6 };
    });
  } catch (error) {
    if (error instanceof NamespaceError) return undefined;
    throw error;
  }
}

/**
 * The links inside a sandbox.
 * @returns undefined when the path is gone or is no network namespace (any more)
 * @throws NamespaceError when the namespace may not be entered
 */
export const sandboxLinks = (path: string): Promise<LinkInfo[] | undefined> =>
  inSandbox(path, ({ rtnetlink }) => rtnetlink.links());
