import { endpointMark } from '../host-state/mark.ts';
import { containerLinkName } from '../host-state/names.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { LinkInfo } from '../kernel/link-info.ts';
import { NamespaceError } from '../kernel/netns.ts';
import type { Endpoint } from '../model.ts';

export type Liveness =
  /** Its link is in the host's namespace: a port of a bridge, or a link that waits to be moved. */
  | 'host'
  /** Its link is inside its container. */
  | 'sandbox'
  /** Its link is nowhere: the container or the host went down without a word to the driver. */
  | 'lost';

/**
 * Finds the links of joined endpoints. An engine that dies sends no Leave and no DeleteEndpoint, and a rebooted host
 * has no links left, so what the store says of endpoints is checked against the kernel before anything is built on it.
 */
export async function livenessOf(
  endpoints: readonly Endpoint[],
  kernel: Pick<Kernel, 'links' | 'sandboxLinks'>,
): Promise<Map<Endpoint, Liveness>> {
  const result = new Map<Endpoint, Liveness>();
  const inHost = async () => new Set((await kernel.links()).map(link => link.alias));
  const before = await inHost();
  const missing: Endpoint[] = [];
  for (const endpoint of endpoints) {
    if (before.has(markOf(endpoint))) result.set(endpoint, 'host');
    else if (endpoint.sandbox !== undefined && (await isInside(endpoint, endpoint.sandbox, kernel))) {
      result.set(endpoint, 'sandbox');
    } else missing.push(endpoint);
  }
  // The engine may have moved a link back to the host between the two looks.
  const after = missing.length > 0 ? await inHost() : before;
  for (const endpoint of missing) result.set(endpoint, after.has(markOf(endpoint)) ? 'host' : 'lost');
  return result;
}

const markOf = (endpoint: Endpoint): string => endpointMark(endpoint.networkId, endpoint.id);

async function isInside(
  endpoint: Endpoint,
  sandbox: string,
  kernel: Pick<Kernel, 'sandboxLinks'>,
): Promise<boolean> {
  let links: readonly LinkInfo[] | undefined;
  try {
    links = await kernel.sandboxLinks(sandbox);
  } catch (error) {
    // Without CAP_SYS_ADMIN nobody can look. The sandbox is there, so its container is.
    if (error instanceof NamespaceError && error.problem === 'denied') return true;
    throw error;
  }
  // One that tsnet makes there has its mark only when it is set up, and a name like no other until then.
  const madeAs = endpoint.inside === undefined ? undefined : containerLinkName(endpoint.id);
  return links?.some(link => link.alias === markOf(endpoint) || link.name === madeAs) ?? false;
}
