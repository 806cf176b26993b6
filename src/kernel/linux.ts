import { existsSync } from 'node:fs';
import type { Family } from '../addresses.ts';
import type { Guard } from '../host-state/types.ts';
import { Advertiser } from './advertise/advertiser.ts';
import { apply } from './apply.ts';
import { Conntrack } from './conntrack/conntrack.ts';
import { FlowSweeper } from './conntrack/sweeper.ts';
import { readFacts } from './facts.ts';
import { inTurn } from './in-turn.ts';
import type { Kernel } from './kernel.ts';
import { hasCode } from './netlink/netlink-error.ts';
import { ensureDockerUser } from './nft/docker-user.ts';
import type { Nft } from './nft/nft.ts';
import { observe } from './observe.ts';
import { PortHolds, type PortHoldsOptions } from './ports/port-holds.ts';
import { Reaper } from './rtnetlink/reaper.ts';
import type { Rtnetlink } from './rtnetlink/rtnetlink.ts';
import { type SandboxView, sandboxLinks, viewSandbox } from './sandbox/view.ts';

export interface LinuxKernelOptions extends PortHoldsOptions {
  /** Reads the host's own firewall; undefined where it is not active. Without this there is none. */
  readonly readGuard?: () => Promise<Guard | undefined>;
  /** Hears of what fails in the background. */
  readonly onError?: (error: unknown) => void;
}

export interface LinuxKernel extends Kernel {
  /** Gives back the ports that are held, and what else this has opened; not what it was given. */
  close(): Promise<void>;
}

/** The kernel of the network namespace that the process runs in. */
export function linuxKernel(rtnetlink: Rtnetlink, nft: Nft, options: LinuxKernelOptions = {}): LinuxKernel {
  const { readGuard, onError = () => undefined, ...holdOptions } = options;
  const holds = new PortHolds(holdOptions);
  const conntrack = new Conntrack();
  const flows = new FlowSweeper(conntrack, onError);
  const reaper = new Reaper(rtnetlink, onError);
  const advertiser = new Advertiser(
    onError,
    async port => (await rtnetlink.link(port))?.forwarding !== false,
  );
  const ways = { rtnetlink, nft, holds, flows, reaper, advertiser };
  let dummy: Promise<boolean> | undefined;
  return {
    apply: (ops, how) => apply(ways, ops, how),
    gone: async names => (await Promise.all(names.map(name => reaper.settled(name)))).every(isGone => isGone),
    observe: desired => observe(ways, desired),
    openDockerUser: inTurn(() => ensureDockerUser(nft)),
    holdPort: request => holds.hold(request),
    holderOf: port => holds.holderOf(port),
    facts: (parents, asked) => readFacts(rtnetlink, parents, asked?.guard === true ? readGuard : undefined),
    links: () => reaper.staying(),
    link: async name => {
      await reaper.settled(name);
      return rtnetlink.link(name);
    },
    // What nl80211 drivers register with; `wireless` is the older sign (wext), still there on some drivers.
    isWireless: async name =>
      ['phy80211', 'wireless'].some(sign => existsSync(`/sys/class/net/${name}/${sign}`)),
    sandboxLinks,
    viewSandbox: (path, families) => viewSettled(path, families, reaper),
    hasDummy: () => {
      dummy ??= probeDummy(rtnetlink);
      return dummy;
    },
    close: async () => {
      advertiser.close();
      await Promise.all([flows.settled(), reaper.settled(), advertiser.settled()]);
      conntrack.close();
      await holds.close();
    },
  };
}

/** A sandbox without what tsnet is deleting in it: its addresses and routes are no obstacle a moment later. */
async function viewSettled(
  path: string,
  families: readonly Family[],
  reaper: Reaper,
): Promise<SandboxView | undefined> {
  const leaving = reaper.leaving(path);
  const view = viewSandbox(path, families);
  if (view?.links.some(name => leaving.names.has(name)) !== true) return view;
  await leaving.settled;
  return viewSandbox(path, families);
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
