import { existsSync } from 'node:fs';
import type { Guard } from '../host-state/types.ts';
import type { HostFacts, ParentFacts } from '../modes/mode.ts';
import type { Rtnetlink } from './rtnetlink/rtnetlink.ts';

const RT_SCOPE_UNIVERSE = 0;
/** Not yet, or no longer, to be used as a source (IFA_F_TENTATIVE, _DEPRECATED, _DADFAILED) or a passing one. */
const UNFIT = 0x40 | 0x20 | 0x08 | 0x01;

/**
 * Reads what desired state depends on: one request a parent and its addresses, not a dump of the host.
 * @param parents names of links; those that do not exist are left out of the answer
 * @param readGuard reads the host's own firewall, if that is asked for
 */
export async function readFacts(
  rt: Rtnetlink,
  parents: Iterable<string>,
  readGuard?: () => Promise<Guard | undefined>,
): Promise<HostFacts> {
  const [guard, facts] = await Promise.all([
    readGuard?.(),
    Promise.all([...parents].map(name => readParent(rt, name))),
  ]);
  return {
    ipv6: existsSync('/proc/sys/net/ipv6'),
    ...(guard === undefined ? {} : { guard }),
    parents: new Map(facts.flatMap(fact => (fact === undefined ? [] : [[fact.name, fact] as const]))),
  };
}

async function readParent(rt: Rtnetlink, name: string): Promise<ParentFacts | undefined> {
  const link = await rt.link(name);
  if (link === undefined) return undefined;
  const addresses = (await rt.addresses({ linkIndex: link.index }))
    .filter(info => info.scope === RT_SCOPE_UNIVERSE && (info.flags & UNFIT) === 0)
    .map(info => info.address);
  return {
    name,
    mtu: link.mtu,
    ...(link.mac === undefined ? {} : { mac: link.mac }),
    addresses4: addresses.filter(address => !address.includes(':')),
    addresses6: addresses.filter(address => address.includes(':')),
  };
}
