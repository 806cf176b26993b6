import { EMPTY, type HostState, type Place, type SandboxEnd, type Sysctl } from '../host-state/types.ts';
import type { Endpoint, Network } from '../model.ts';
import type { JoinAnswer } from '../protocol/types.ts';

/** Where an endpoint's interface is made; undefined where the engine moves it. */
export function placeOf({ inside, sandbox }: Endpoint): Place | undefined {
  return inside === undefined || sandbox === undefined ? undefined : { sandbox, name: inside };
}

/**
 * The settings of an interface that is made inside its sandbox.
 * @param on where it can be found from the host: by its other end, a port of a bridge, or by its own mark
 */
export function insideState(
  network: Network,
  endpoint: Endpoint,
  on: Pick<SandboxEnd, 'port'> | Pick<SandboxEnd, 'alias' | 'madeAs'>,
): HostState {
  const place = placeOf(endpoint);
  if (place === undefined) return EMPTY;
  const { announceCount: count, announceMs: intervalMs } = network.options;
  const end = {
    ...place,
    ...on,
    mac: endpoint.mac,
    addresses: [endpoint.address4, endpoint.address6].flatMap(address => address ?? []),
    sysctls: sysctlsOf(endpoint.sysctls, place.name) ?? [],
    announce: { count, intervalMs },
  };
  return { ...EMPTY, ends: [end] };
}

/** How Join names the interface: the link to be moved, or nothing to be moved. */
export function interfaceName(
  network: Network,
  endpoint: Endpoint,
  link: string,
): JoinAnswer['interfaceName'] {
  const { inside, prefix = network.options.ifacePrefix } = endpoint;
  if (inside === undefined) return { srcName: link, dstPrefix: prefix };
  // An engine up to 27 that restarts with live-restore reads what follows the prefix as a number, and gives the whole
  // container's network up when it is none (moby libnetwork/osl/namespace_linux.go, Restore).
  return { dstPrefix: inside.replace(/\d+$/, '') };
}

/**
 * Reads `net.ipv4.conf.IFNAME.log_martians=1,net.ipv6.conf.IFNAME.accept_ra=2`, as the engine does from 27 on.
 * @param name what stands in the place of IFNAME
 * @returns undefined for a text that is no such list
 */
export function sysctlsOf(text: string | undefined, name: string): Sysctl[] | undefined {
  if (text === undefined || text === '') return [];
  const found: Sysctl[] = [];
  for (const part of text.split(',')) {
    const match = /^net\.([a-z0-9_]+)\.([a-z0-9_]+)\.IFNAME\.([a-z0-9_]+)=([^\0\n]*)$/i.exec(part.trim());
    if (match === null) return undefined;
    const [, family, group, key, value] = match;
    found.push({ path: `net/${family}/${group}/${name}/${key}`, value: value ?? '' });
  }
  return found;
}
