import { ALL_BUT_MARK, bothVersions, type Chain, MARK } from './chain.ts';

/** First wherever it may stand: most packets are of flows that were let in, and every rule before it costs each of them. */
const KNOWN = 'ct state established,related goto permit';

/**
 * Who reaches whom. Only drop is final in nftables: after an accept here the other base chains of the hook still
 * decide, above all Docker's FORWARD policy; packets let through bear PACKET_MARK so that one rule in DOCKER-USER
 * knows them (docker-user.ts).
 *
 * Conntrack states are looked at only for what comes to a container from elsewhere: replies and the ICMP errors that
 * belong to a flow (related) come in, invalid packets do not, and new ones where something is published; as with the
 * engine's own bridges what leaves is not judged by its state. A flow that was let in once is not judged again, so
 * that neither a change of the policy nor a table that was gone for a moment ends it. Destinations are those behind
 * the translation, sources those before it.
 */
export const FORWARD_CHAINS: readonly Chain[] = [
  {
    // Ahead of priority filter (0), so that the mark is there when Docker's chains run.
    name: 'forward',
    hook: { type: 'filter', hook: 'forward', priority: -10 },
    rules: [
      'iifname @bridges goto from_bridge',
      'oifname @bridges goto to_own_bridge',
      ...bothVersions(({ version, ip }) => `iifname . ${ip} saddr @guest${version} goto from_bridge`),
      ...bothVersions(({ version, ip }) => `oifname . ${ip} daddr @guest${version} goto to_bridge`),
      // Containers behind a shim are on the LAN; what of theirs is not published here is not the host's to judge.
      'oifname @shims ct status dnat goto published',
      'iifname @shims ct status dnat ct direction reply goto permit',
      // On a foreign bridge, frames that find neighbours bear link-local and multicast addresses, so no set knows
      // whether they are a guest's; without them no guest has IPv6 where br_netfilter meets Docker's policy.
      'iifname . oifname @same_bridge icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } goto permit',
    ],
  },
  {
    name: 'from_bridge',
    rules: [
      KNOWN,
      // One bridge in and out: routed back, or a bridged frame that br_netfilter shows to this hook.
      'iifname . oifname @same_bridge goto within_bridge',
      'iifname @internal counter drop',
      'oifname @bridges goto across',
      ...bothVersions(({ version, ip }) => `oifname . ${ip} daddr @guest${version} goto across`),
      'oifname @shims ct status dnat goto published',
      // Without the mark, so that the engine's own chains judge it: they let published ports through and stop the rest.
      'oifname @engine_bridges ct state new return',
      'goto permit',
    ],
  },
  {
    // Of a foreign bridge, on which packets may stay: what comes from an own one has gone to from_bridge.
    name: 'to_bridge',
    rules: ['iifname . oifname @same_bridge goto within_bridge', 'goto to_own_bridge'],
  },
  {
    name: 'to_own_bridge',
    rules: [
      KNOWN,
      'jump inward',
      // To others than the engine's networks, which are kept apart from tsnet's as those are from each other.
      ...bothVersions(
        ({ version }) =>
          `meta nfproto ipv${version} iifname != @engine_bridges oifname @unprotected${version} goto permit`,
      ),
      // A LAN host that routes to the containers' subnet gets no further than this.
      'counter drop',
    ],
  },
  {
    // From one network of tsnet to another. An internal one is not reached, whatever its isolation.
    name: 'across',
    rules: [
      'oifname != @internal iifname @unisolated oifname @unisolated goto permit',
      'jump inward',
      'counter drop',
    ],
  },
  {
    // What comes in from outside of a network whoever sent it; of the rest the caller decides.
    name: 'inward',
    rules: [
      'oifname @internal counter drop',
      KNOWN,
      'ct status dnat goto published',
      ...bothVersions(
        ({ version, ip }) => `${ip} daddr . meta l4proto . th dport @open${version} goto published`,
      ),
      ...bothVersions(
        ({ version, icmp }) =>
          `meta nfproto ipv${version} oifname @routed${version} meta l4proto ${icmp} goto permit`,
      ),
    ],
  },
  {
    name: 'within_bridge',
    rules: [
      // Containers that may talk to each other directly may do so by the host's address as well.
      'iifname @bridges iifname != @no_icc goto permit',
      // On a foreign bridge its clients can be those of the LAN.
      'ct status dnat goto published',
      'iifname @no_icc counter drop',
      'goto permit',
    ],
  },
  {
    name: 'published',
    rules: [
      KNOWN,
      ...bothVersions(
        ({ version, ip }) =>
          `${ip} daddr @restricted${version} ${ip} daddr . ${ip} saddr != @allow_from${version} counter drop`,
      ),
      ...bothVersions(({ version, ip }) => `${ip} daddr @ufw${version} goto ufw${version}`),
      'goto permit',
    ],
  },
  { name: 'permit', rules: [`meta mark set meta mark | ${MARK} accept`] },
  {
    // The hook after forward, before everything in it: a CONNMARK --save-mark in mangle must not find the bit.
    name: 'unmark',
    hook: { type: 'filter', hook: 'postrouting', priority: -300 },
    // Every packet of the host passes here, so that the first word is a comparison: looking a name up costs as much as
    // all else in the rule. The bit is tsnet's alone, for whatever bears it DOCKER-USER lets through.
    rules: [`meta mark & ${MARK} != 0 meta mark set meta mark & ${ALL_BUT_MARK}`],
  },
];
