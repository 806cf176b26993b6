import { readdirSync, readlinkSync } from 'node:fs';
import { afterEach, beforeEach } from 'vitest';
import type { Op } from '../../../src/host-state/ops.ts';
import type { MacvlanLink, Place, SandboxEnd, VethLink } from '../../../src/host-state/types.ts';
import { type LinuxKernel, linuxKernel } from '../../../src/kernel/linux.ts';
import { NetworkNamespace } from '../../../src/kernel/netns.ts';
import { Nft } from '../../../src/kernel/nft/nft.ts';
import { Rtnetlink } from '../../../src/kernel/rtnetlink/rtnetlink.ts';
import { setEnd } from '../../../src/kernel/sandbox/end.ts';
import { inSandbox } from '../../../src/kernel/sandbox/enter.ts';
import { type TestNamespace, testNamespace } from '../namespace.ts';

export const MARK = 'tsnet:n1:e1';
export const MAC = '02:42:c6:12:00:09';
/** What a macvlan link is called until it is set up. */
export const MADE_AS = 'tsc1';
const PARENT = 'tp0';
const BRIDGE = 'tb0';

/** A host of its own, with a bridge and a parent that has a cable, and a container's sandbox beside it. */
export interface OwnSandbox {
  host: TestNamespace;
  sandbox: TestNamespace;
  rtnl: Rtnetlink;
  /** The host's kernel, as the rest of tsnet has it. */
  kernel: LinuxKernel;
  /** Of what is done in the background: a test that expects some takes them out. */
  failures: unknown[];
}

/** Made anew for each test of the calling file. */
export function inOwnSandbox(): OwnSandbox {
  const own = {} as OwnSandbox;
  let nft: Nft;
  beforeEach(async () => {
    [own.host, own.sandbox] = await Promise.all([testNamespace(), testNamespace()]);
    await own.host.sh(
      `ip link add ${BRIDGE} type bridge; ip link set ${BRIDGE} up
       ip link add ${PARENT} type veth peer name ${PARENT}p; ip link set ${PARENT}p up; ip link set ${PARENT} up`,
    );
    const failures: unknown[] = [];
    own.failures = failures;
    own.rtnl = Rtnetlink.open(own.host.path);
    const namespace = NetworkNamespace.open(own.host.path);
    nft = namespace.run(() => Nft.open());
    namespace.close();
    own.kernel = linuxKernel(own.rtnl, nft, { onError: error => failures.push(error) });
  });
  afterEach(async () => {
    await own.kernel.close();
    own.rtnl.close();
    await nft.close();
    await Promise.all([own.host[Symbol.asyncDispose](), own.sandbox[Symbol.asyncDispose]()]);
    if (own.failures.length > 0) throw new AggregateError(own.failures, 'failed in the background');
  });
  return own;
}

export const placeIn = (sandbox: TestNamespace, name = 'eth100'): Place => ({ sandbox: sandbox.path, name });

/** A bridge's port whose peer is the container's. */
export const placedVeth = (place: Place, more: Partial<VethLink> = {}): VethLink => ({
  kind: 'veth',
  name: 'tsv1',
  alias: MARK,
  up: true,
  noLinkLocal: true,
  master: BRIDGE,
  mtu: 1400,
  peer: { name: place.name, mac: MAC, mtu: 1400 },
  place,
  ...more,
});

export const placedMacvlan = (place: Place, more: Partial<MacvlanLink> = {}): MacvlanLink => ({
  kind: 'macvlan',
  name: MADE_AS,
  alias: MARK,
  parent: PARENT,
  macvlanMode: 'bridge',
  mac: MAC,
  mtu: 1400,
  up: false,
  place,
  ...more,
});

/** Tells nobody, so that nothing goes on in the background. */
export const endAt = (place: Place, more: Partial<SandboxEnd> = {}): SandboxEnd => ({
  ...place,
  mac: MAC,
  addresses: ['198.18.0.9/24', '2001:db8::9/64'],
  sysctls: [],
  announce: { count: 0, intervalMs: 100 },
  ...more,
});

/** How it is known inside, where it has no other end on the host. */
export const OF_MACVLAN = { alias: MARK, madeAs: MADE_AS };

/** The two ways in which an interface comes into being inside a sandbox, and the steps of each. */
export const KINDS = [
  {
    kind: 'veth' as const,
    steps: (place: Place, end: Partial<SandboxEnd> = {}): Op[] => [
      { op: 'link.add', link: placedVeth(place) },
      { op: 'end.set', end: endAt(place, end) },
    ],
    removal: (place: Place): Op => ({ op: 'link.delete', name: 'tsv1', alias: MARK, place }),
    /** It is the host end that bears the mark. */
    known: {} as Partial<SandboxEnd>,
  },
  {
    kind: 'macvlan' as const,
    steps: (place: Place, end: Partial<SandboxEnd> = {}): Op[] => [
      { op: 'link.add', link: placedMacvlan(place) },
      { op: 'end.set', end: endAt(place, { ...OF_MACVLAN, ...end }) },
    ],
    removal: (place: Place): Op => ({ op: 'link.delete', name: MADE_AS, alias: MARK, place }),
    known: OF_MACVLAN as Partial<SandboxEnd>,
  },
];

/** Names of the links there. */
export const namesIn = async (namespace: TestNamespace): Promise<unknown[]> =>
  (await namespace.json('link', 'show')).map(link => link['ifname']);

/** How many namespaces this process holds open. */
export const openNamespaces = (): number => openFiles(/^net:/);
/** And sockets, of which each network namespace is kept alive by those that are in it. */
export const openSockets = (): number => openFiles(/^socket:/);

const openFiles = (kind: RegExp): number =>
  readdirSync('/proc/self/fd').filter(fd => {
    try {
      return kind.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      // The descriptor that the folder was read by.
      return false;
    }
  }).length;

/** Sets an interface's end up as a step does. */
export const putEnd = (end: SandboxEnd): Promise<number | undefined> =>
  inSandbox(end.sandbox, inside => setEnd(inside, end));
