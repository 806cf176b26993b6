import { constants } from 'node:os';
import { expect, it } from 'vitest';
import { shimMark } from '../../src/host-state/mark.ts';
import { apply } from '../../src/kernel/apply.ts';
import { NetlinkError } from '../../src/kernel/netlink/netlink-error.ts';
import type { Ways } from '../../src/kernel/steps/step.ts';

// What rtnl_newlink() of a kernel built without macvlan answers; this machine's has it.
const addLink = async () => {
  throw new NetlinkError(constants.errno.EOPNOTSUPP, 'RTM_NEWLINK tss1', 'Unknown device type');
};
const ways = { rtnetlink: { addLink }, reaper: { isDeleting: () => false } } as unknown as Ways;

it('a kernel without macvlan is told of by name, with the module that is missing', async () => {
  const link = {
    kind: 'macvlan',
    name: 'tss1',
    alias: shimMark('eth0'),
    parent: 'eth0',
    macvlanMode: 'bridge',
    mac: '02:42:00:00:00:01',
    up: true,
  } as const;
  const attempt = apply(ways, [{ op: 'link.add', link }], { context: 'network lan' });
  await expect(attempt).rejects.toThrow(
    /^KERNEL_UNSUPPORTED: link tss1 .*\(network lan\): RTM_NEWLINK tss1: EOPNOTSUPP .*\(Unknown device type\)\. .*macvlan/,
  );
});
