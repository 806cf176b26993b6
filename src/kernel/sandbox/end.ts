import { familyOf } from '../../addresses.ts';
import { TsnetError } from '../../errors.ts';
import type { SandboxEnd } from '../../host-state/types.ts';
import { present } from '../../present.ts';
import type { LinkInfo } from '../link-info.ts';
import { hasCode } from '../netlink/netlink-error.ts';
import type { Rtnetlink } from '../rtnetlink/rtnetlink.ts';
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
 * @param isNew tsnet has made it a moment ago, so that what bears its name is it
 * @returns the interface's index there
 * @throws TsnetError LINK_TAKEN when there is an interface of the name that is not tsnet's; EndMissing when there is none
 */
export async function setEnd(inside: Inside, end: SandboxEnd, isNew = false): Promise<number> {
  const { rtnetlink, parameters } = inside;
  const made = asMade(rtnetlink, end, isNew);
  const index = made?.index ?? (await findEnd(rtnetlink, end))?.index;
  if (index === undefined) throw new EndMissing(end.name);
  const name = made?.name ?? end.name;
  const value = end.addresses.some(address => familyOf(address) === 6) ? '0' : '1';
  await parameters.setIfKnown({ path: `net/ipv6/conf/${name}/disable_ipv6`, value });
  for (const { path, value } of end.sysctls) {
    await parameters.set({ path: path.replace(`/${end.name}/`, `/${name}/`), value });
  }
  // A passthru link is made with its parent's MAC, whatever is asked for.
  const fresh = name === end.name ? {} : { name: end.name, mac: end.mac };
  try {
    await rtnetlink.configure(index, end.addresses, { ...fresh, ...present({ alias: end.alias }) });
  } catch (cause) {
    throw hasCode(cause, 'EEXIST') ? taken(end.name, cause) : cause;
  }
  return index;
}

/** The interface by a name that can only be its own, without a request. */
function asMade(rtnetlink: Rtnetlink, end: SandboxEnd, isNew: boolean) {
  const name = isNew ? (end.madeAs ?? end.name) : end.madeAs;
  const index = name === undefined ? undefined : rtnetlink.index(name);
  return index === undefined ? undefined : { index, name };
}

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
  const made = end.madeAs === undefined ? undefined : await rtnetlink.link(end.madeAs);
  if (made !== undefined) return made;
  const link = await rtnetlink.link(end.name);
  if (link === undefined) return undefined;
  // A veth's end has no mark of its own: it has the MAC that it was made with.
  const isOwn = link.alias === undefined ? link.mac === end.mac : link.alias === end.alias;
  if (!isOwn) throw taken(end.name);
  return link;
}

/** @param name of the interface */
export const taken = (name: string, cause?: unknown): TsnetError =>
  new TsnetError('LINK_TAKEN', `the container has an interface ${name} already`, { cause });
