import { createHash } from 'node:crypto';
import { PACKET_MARK } from '../host-state/mark.ts';
import { SETS, setType } from './sets.ts';

export const FAMILY = 'inet';
export const TABLE_NAME = 'tsnet';
/** Family and name as nft commands take them. */
export const TABLE = `${FAMILY} ${TABLE_NAME}`;

export interface Chain {
  readonly name: string;
  /** Where the kernel calls a base chain; absent for chains that are jumped to. */
  readonly hook?: {
    readonly type: 'filter' | 'nat';
    readonly hook: 'forward' | 'postrouting';
    readonly priority: number;
  };
  readonly rules: readonly string[];
}

const hex = (value: number): string => `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
const MARK = hex(PACKET_MARK);

/**
 * What is constant of the table. Only drop is final in nftables: after an accept here the other base chains of the
 * hook still decide, above all Docker's FORWARD policy; packets let through bear PACKET_MARK so that one rule in
 * DOCKER-USER knows them (docker-user.ts).
 *
 * Conntrack states are looked at only for what comes to a bridge from elsewhere: replies and the ICMP errors that
 * belong to a flow (related) come in, new and invalid packets do not; as with the engine's own bridges what leaves
 * is not judged by its state.
 */
export const CHAINS: readonly Chain[] = [
  {
    // Ahead of priority filter (0), so that the mark is there when Docker's chains run.
    name: 'forward',
    hook: { type: 'filter', hook: 'forward', priority: -10 },
    rules: [
      'iifname @bridges goto from_bridge',
      'oifname @bridges goto to_bridge',
      'iifname . ip saddr @guest4 goto from_bridge',
      'iifname . ip6 saddr @guest6 goto from_bridge',
      'oifname . ip daddr @guest4 goto to_bridge',
      'oifname . ip6 daddr @guest6 goto to_bridge',
      // On a foreign bridge, frames that find neighbours bear link-local and multicast addresses, so no set knows
      // whether they are a guest's; without them no guest has IPv6 where br_netfilter meets Docker's policy.
      'iifname . oifname @same_bridge icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } goto permit',
    ],
  },
  {
    name: 'from_bridge',
    rules: [
      // One bridge in and out: routed back, or a bridged frame that br_netfilter shows to this hook.
      'iifname . oifname @same_bridge goto within_bridge',
      // Networks of tsnet do not reach each other.
      'oifname @bridges counter drop',
      'oifname . ip daddr @guest4 counter drop',
      'oifname . ip6 daddr @guest6 counter drop',
      'iifname @internal counter drop',
      // Without the mark, so that the engine's own chains judge it: they let published ports through and stop the rest.
      'oifname @engine_bridges ct state new return',
      'goto permit',
    ],
  },
  {
    name: 'to_bridge',
    rules: [
      // Of a foreign bridge only: what comes from an own one has gone to from_bridge.
      'iifname . oifname @same_bridge goto within_bridge',
      'oifname @internal counter drop',
      'ct state established,related goto permit',
      // Nothing is published: a LAN host that routes to the containers' subnet gets no further than this.
      'counter drop',
    ],
  },
  { name: 'within_bridge', rules: ['iifname @no_icc counter drop', 'goto permit'] },
  { name: 'permit', rules: [`meta mark set meta mark | ${MARK} accept`] },
  {
    // The hook after forward, before everything in it: a CONNMARK --save-mark in mangle must not find the bit.
    name: 'unmark',
    hook: { type: 'filter', hook: 'postrouting', priority: -300 },
    // The pair of one interface with itself is in same_bridge for every bridge that a marked packet can concern.
    // A bridged frame has no input interface here, hence two rules.
    rules: ['iifname . iifname', 'oifname . oifname'].map(
      pair => `${pair} @same_bridge meta mark set meta mark & ${hex(~PACKET_MARK)}`,
    ),
  },
  {
    // srcnat. The input interface is known at postrouting from Linux 5.7.
    name: 'source_nat',
    hook: { type: 'nat', hook: 'postrouting', priority: 100 },
    rules: [
      'meta nfproto ipv4 iifname @masquerade4 oifname != @bridges masquerade',
      'meta nfproto ipv6 iifname @masquerade6 oifname != @bridges masquerade',
      ...(['4', '6'] as const).map(
        version =>
          `iifname . ${version === '4' ? 'ip' : 'ip6'} saddr @guest_masquerade${version} iifname . oifname != @same_bridge masquerade`,
      ),
    ],
  },
];

function renderChain(chain: Chain): string {
  const { hook } = chain;
  const lines = [...chain.rules];
  if (hook) lines.unshift(`type ${hook.type} hook ${hook.hook} priority ${hook.priority}; policy accept;`);
  return `\tchain ${chain.name} {\n${lines.map(line => `\t\t${line}\n`).join('')}\t}\n`;
}

/**
 * The sets with the given contents, then the chains that use them: the inside of the table's braces.
 * @param elements text of a set's elements, by set
 */
export function renderBody(elements: ReadonlyMap<string, readonly string[]>): string {
  const sets = SETS.map(set => {
    const keys = elements.get(set);
    const contents = keys ? `\t\telements = { ${keys.join(', ')} }\n` : '';
    return `\tset ${set} {\n\t\ttype ${setType(set)}\n${contents}\t}\n`;
  });
  return [...sets, ...CHAINS.map(renderChain), `\tchain ${MARKER} {\n\t}\n`].join('');
}

/** Name of an empty chain that tells which skeleton a table in the kernel was made from. */
export const MARKER = `skeleton_${createHash('sha256')
  .update(JSON.stringify([SETS.map(set => [set, setType(set)]), CHAINS]))
  .digest('hex')
  .slice(0, 16)}`;
