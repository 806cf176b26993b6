import { familyOf } from '../../addresses.ts';
import { TsnetError } from '../../errors.ts';
import type { SandboxEnd } from '../../host-state/types.ts';
import { present } from '../../present.ts';
import type { LinkInfo } from '../link-info.ts';
import { hasCode } from '../netlink/netlink-error.ts';
import { linkIndex } from '../rtnetlink/link-index.ts';
import type { Rtnetlink } from '../rtnetlink/rtnetlink.ts';
import { readSysctl } from '../sysctl.ts';
import { type Inside, inSandbox } from './enter.ts';

/** The container has no such interface: it was never made, or has gone with its container. */
export class EndMissing extends TsnetError {
  constructor(name: string) {
    super('KERNEL', `interface ${name} is not in the container`);
  }
}

/**
 * Gives an interface inside a sandbox its parameters and addresses and sets it up, in the engine's order (moby
 * libnetwork/osl/interface_linux.go, configureInterface).
 * @returns the interface's index there
 * @throws TsnetError LINK_TAKEN when there is an interface of the name that is not tsnet's; EndMissing when there is none
 */
export async function setEnd(inside: Inside, end: SandboxEnd): Promise<number> {
  const { rtnetlink, parameters } = inside;
  const { made, ipv6 } = asMade(inside, end);
  const index = made ?? (await findEnd(rtnetlink, end))?.index;
  if (index === undefined) throw new EndMissing(end.name);
  const name = made === undefined ? end.name : end.madeAs;
  const value = end.addresses.some(address => familyOf(address) === 6) ? '0' : '1';
  const ipv6Off = { path: ipv6Switch(name), value };
  if (made === undefined) await parameters.setIfKnown(ipv6Off);
  else if (ipv6 !== undefined && ipv6 !== value) await parameters.store(ipv6Off);
  for (const { path, value } of end.sysctls) {
    await parameters.set({ path: path.replace(`/${end.name}/`, `/${name}/`), value });
  }
  // A passthru link is made with its parent's MAC, whatever is asked for.
  const fresh = made === undefined ? {} : { name: end.name, mac: end.mac };
  try {
    await rtnetlink.configure(index, end.addresses, { ...fresh, ...present({ alias: end.alias }) });
  } catch (cause) {
    throw hasCode(cause, 'EEXIST') ? taken(end, cause) : cause;
  }
  return index;
}

/** The interface as it was made, if it is still called so, in one visit: a connect waits for each. */
const asMade = ({ namespace }: Inside, { madeAs }: SandboxEnd) =>
  namespace.run(() => ({ made: linkIndex(madeAs), ipv6: readSysctl(ipv6Switch(madeAs)) }));

const ipv6Switch = (name: string): string => `net/ipv6/conf/${name}/disable_ipv6`;

/** @returns the end itself when its sandbox has it, up and with its addresses; undefined otherwise */
export async function readEnd(end: SandboxEnd): Promise<SandboxEnd | undefined> {
  try {
    return await inSandbox(end.sandbox, async ({ rtnetlink }) => {
      const link = await rtnetlink.link(end.name);
      if (link?.up !== true || link.alias !== end.alias) return undefined;
      const found = await rtnetlink.addresses({ linkIndex: link.index });
      const present = new Set(found.map(({ address }) => address));
      return end.addresses.every(address => present.has(address)) ? end : undefined;
    });
  } catch {
    // No container keeps tsnet from looking at the rest of the host; setting the end will tell why.
    return undefined;
  }
}

/**
 * The interface, set up already or as it was made.
 * @throws TsnetError LINK_TAKEN when an interface of the name is not tsnet's
 */
export async function findEnd(
  rtnetlink: Rtnetlink,
  end: Pick<SandboxEnd, 'name' | 'madeAs' | 'alias'> & { readonly mac?: string },
): Promise<LinkInfo | undefined> {
  const made = await rtnetlink.link(end.madeAs);
  if (made !== undefined) return made;
  const link = await rtnetlink.link(end.name);
  if (link === undefined) return undefined;
  // A veth's end has no mark of its own: it has the MAC that it was made with.
  const isOwn = link.alias === undefined ? link.mac === end.mac : link.alias === end.alias;
  if (!isOwn) throw taken(end);
  return link;
}

const taken = ({ name }: Pick<SandboxEnd, 'name'>, cause?: unknown): TsnetError =>
  new TsnetError('LINK_TAKEN', `the container has an interface ${name} already`, { cause });
