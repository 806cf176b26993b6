import { familyOf } from '../../addresses.ts';
import { TsnetError } from '../../errors.ts';
import type { SandboxEnd } from '../../host-state/types.ts';
import type { Rtnetlink } from '../rtnetlink/rtnetlink.ts';
import { UNFINISHED_ALIAS } from '../rtnetlink/unfinished.ts';
import { inSandbox } from './enter.ts';

/**
 * Gives an interface inside a sandbox its parameters and addresses and sets it up, in the engine's order (moby
 * libnetwork/osl/interface_linux.go, configureInterface). Nothing happens where the sandbox is gone.
 * @returns the interface's index there
 * @throws TsnetError LINK_TAKEN when there is an interface of the name that is not tsnet's, KERNEL when there is none
 */
export function setEnd(end: SandboxEnd): Promise<number | undefined> {
  return inSandbox(end.sandbox, async ({ rtnetlink, parameters }) => {
    const index = await ownIndex(rtnetlink, end);
    const off = end.addresses.some(address => familyOf(address) === 6) ? '0' : '1';
    const path = `net/ipv6/conf/${end.name}/disable_ipv6`;
    if (parameters.read(path) !== undefined) await parameters.set({ path, value: off });
    for (const sysctl of end.sysctls) await parameters.set(sysctl);
    await rtnetlink.configure(index, end);
    return index;
  });
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

async function ownIndex(rtnetlink: Rtnetlink, { name, alias, mac }: SandboxEnd): Promise<number> {
  const link = await rtnetlink.link(name);
  if (link === undefined) throw new TsnetError('KERNEL', `interface ${name} is not in the container`);
  // A veth's end has no mark of its own: it has the MAC that it was made with.
  const isOwn =
    link.alias === undefined || link.alias === UNFINISHED_ALIAS ? link.mac === mac : link.alias === alias;
  if (!isOwn) throw new TsnetError('LINK_TAKEN', `the container has an interface ${name} already`);
  return link.index;
}
