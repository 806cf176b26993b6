import { cidrOverlaps, parseCidr } from '../addresses.ts';
import type { SandboxView } from '../kernel/sandbox/view.ts';
import type { Endpoint, Network } from '../model.ts';

/**
 * Where tsnet's own count of interfaces begins in containers in which the engine has some: it counts only those that it
 * moved itself, and an interface of the name that comes next would make it fail (moby libnetwork/osl, generateIfaceName).
 */
const BEYOND_ENGINE = 100;

/**
 * Whether tsnet makes an endpoint's interface inside the sandbox, and by what name. It must be left to the engine
 * - where it is the container's first and the engine may be asked for more: their names would be the same;
 * - where tsnet has made one there already: an engine that has restarted with live-restore takes all that it did not
 *   move for one and the same;
 * - where it is to have the very name that the engine comes to next;
 * - where the engine has to refuse it: routes of the container lead to the same addresses;
 * - where only the engine knows what is meant by a container without IPv6: up to 25 it switches that on with the first
 *   address, from 26 on it leaves the address out.
 *
 * @param view what the sandbox holds
 * @param siblings names of the interfaces that tsnet has made there
 * @returns undefined to leave it to the engine
 */
export function chooseInside(
  { options }: Network,
  endpoint: Endpoint,
  view: SandboxView,
  siblings: readonly string[],
): string | undefined {
  const { attach, ifacePrefix } = options;
  const { ifname } = endpoint;
  const others = view.links;
  if (attach === 'engine') return undefined;
  if (siblings.length > 0) return undefined;
  if (attach === 'auto' && others.length === 0 && ifname === undefined) return undefined;
  if (endpoint.address6 !== undefined && !view.ipv6) return undefined;
  const routes = view.destinations.map(parseCidr);
  const subnets = [endpoint.address4, endpoint.address6].flatMap(address => address ?? []).map(parseCidr);
  if (subnets.some(subnet => routes.some(route => cidrOverlaps(subnet, route)))) return undefined;
  if (ifname !== undefined) {
    const isThere = ifname === 'lo' || others.includes(ifname);
    const isNext = attach === 'auto' && prefixForEngine(ifname, view, siblings) !== undefined;
    return isThere || isNext ? undefined : ifname;
  }
  // Without others it is the first, with attach=inside: named as the engine would name it.
  for (let number = others.length === 0 ? 0 : BEYOND_ENGINE; ; number++) {
    const name = `${ifacePrefix}${number}`;
    if (!others.includes(name)) return name;
  }
}

/**
 * The prefix with which the engine comes to a name by itself.
 * @param view undefined where the sandbox cannot be looked into
 * @returns undefined where it comes to another name, or where the name is there
 */
export function prefixForEngine(
  ifname: string,
  view: SandboxView | undefined,
  siblings: readonly string[],
): string | undefined {
  if (view?.links.includes(ifname) === true) return undefined;
  const prefix = ifname.replace(/\d+$/, '');
  return ifname === nextOfEngine(prefix, view, siblings) ? prefix : undefined;
}

/** The name that an engine gives next: with the lowest number that none of the interfaces has which it moved. */
export function nextOfEngine(
  prefix: string,
  view: SandboxView | undefined,
  siblings: readonly string[],
): string {
  const counted = new Set((view?.links ?? []).filter(name => !siblings.includes(name)));
  let number = 0;
  while (counted.has(`${prefix}${number}`)) number++;
  return `${prefix}${number}`;
}
