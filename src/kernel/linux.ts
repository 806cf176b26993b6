import { existsSync } from 'node:fs';
import { Applier } from './apply.ts';
import { readFacts } from './facts.ts';
import type { Kernel } from './kernel.ts';
import { hasCode } from './netlink/netlink-error.ts';
import { ensureDockerUser } from './nft/docker-user.ts';
import type { Nft } from './nft/nft.ts';
import { observe } from './observe.ts';
import type { Rtnetlink } from './rtnetlink/rtnetlink.ts';
import { sandboxLinks } from './sandbox.ts';

/** The kernel of the network namespace that the process runs in. */
export function linuxKernel(rtnetlink: Rtnetlink, nft: Nft): Kernel {
  const applier = new Applier(rtnetlink, nft);
  let dummy: Promise<boolean> | undefined;
  return {
    apply: (ops, options) => applier.apply(ops, options),
    observe: desired => observe(rtnetlink, nft, desired),
    openDockerUser: () => ensureDockerUser(nft),
    facts: parents => readFacts(rtnetlink, parents),
    links: () => rtnetlink.links(),
    link: name => rtnetlink.link(name),
    // What nl80211 drivers register with; `wireless` is the older sign (wext), still there on some drivers.
    isWireless: async name =>
      ['phy80211', 'wireless'].some(sign => existsSync(`/sys/class/net/${name}/${sign}`)),
    sandboxLinks,
    hasDummy: () => {
      dummy ??= probeDummy(rtnetlink);
      return dummy;
    },
  };
}

const PROBE = 'tsprobe';

/** Whether the kernel has the link type can only be found by making one; modules are loaded by the attempt. */
async function probeDummy(rtnetlink: Rtnetlink): Promise<boolean> {
  try {
    const index = await rtnetlink.addLink({ kind: 'dummy', name: PROBE, alias: `tsnet:${PROBE}`, up: false });
    await rtnetlink.deleteLink(index);
    return true;
  } catch (error) {
    if (hasCode(error, 'EOPNOTSUPP')) return false;
    throw error;
  }
}
