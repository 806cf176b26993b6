import { bothVersions, type Chain } from './chain.ts';

/** Ahead of those of the engine (dstnat, -100 and srcnat, 100): of several that would translate the first does. */
const DESTINATION = -105;
const SOURCE = 95;

const LOOPBACK = '127.0.0.0/8';

/** Translation, of the first packet of a flow; conntrack does the others in both directions. */
export const NAT_CHAINS: readonly Chain[] = [
  {
    // The links in the set have route_localnet=1, for the way from 127.0.0.1 to a container. The same setting would
    // let a container reach what listens on the host's 127.0.0.1 only (CVE-2020-8558), and speak as from there.
    name: 'loopback_guard',
    hook: { type: 'filter', hook: 'prerouting', priority: -300 },
    rules: [
      // Every packet passes here: the comparison before the lookup.
      `ip daddr ${LOOPBACK} iifname @localnet counter drop`,
      `ip saddr ${LOOPBACK} iifname @localnet counter drop`,
    ],
  },
  {
    name: 'publish',
    hook: { type: 'nat', hook: 'prerouting', priority: DESTINATION },
    rules: [
      // Where somebody has set route_localnet on the link to the LAN, a neighbour that routes 127.0.0.1 here would
      // reach what is published on that address only (moby#45610).
      `ip daddr ${LOOPBACK} return`,
      'ip6 daddr ::1 return',
      'goto to_container',
    ],
  },
  {
    name: 'publish_local',
    hook: { type: 'nat', hook: 'output', priority: DESTINATION },
    rules: [
      // No answer could come back: the kernel takes no packet to ::1 from a link (RFC 4291 2.5.3), and br_netfilter has
      // the address in it before that is looked at. The sockets that hold the ports relay it (PortHold.relay).
      'ip6 daddr ::1 return',
      'goto to_container',
    ],
  },
  {
    name: 'to_container',
    rules: [
      // An address that has moved to another machine is that machine's: what passes by on its way there is not for us.
      'fib daddr type != local return',
      ...bothVersions(
        ({ version, ip }) => `dnat ${ip} to ${ip} daddr . meta l4proto . th dport map @publish_at${version}`,
      ),
      ...bothVersions(
        ({ version, ip }) =>
          `meta nfproto ipv${version} dnat ${ip} to meta l4proto . th dport map @publish${version}`,
      ),
    ],
  },
  {
    // The input interface is known at postrouting from Linux 5.7.
    name: 'source_nat',
    hook: { type: 'nat', hook: 'postrouting', priority: SOURCE },
    rules: ['ct status dnat goto source_of_published', 'goto source_of_others'],
  },
  {
    name: 'source_of_published',
    rules: [
      ...bothVersions(
        ({ version, ip }) => `snat ${ip} to oifname . ${ip} daddr map @published_source${version}`,
      ),
      'iifname . oifname @same_bridge jump hairpin',
      // Where br_netfilter turns the packet round within the bridge, its answer passes conntrack there as well, but for
      // that of a container to itself.
      ...bothVersions(({ version, ip }) => `${ip} saddr . ${ip} daddr @self${version} masquerade`),
      // From another network of tsnet: a container that is on both would answer by the one that they share.
      'iifname @bridges jump hairpin',
      ...bothVersions(({ version, ip }) => `iifname . ${ip} saddr @guest${version} jump hairpin`),
      // No container could answer to such a source.
      `ip saddr ${LOOPBACK} oifname @localnet masquerade`,
      'goto source_of_others',
    ],
  },
  {
    name: 'source_of_others',
    rules: [
      ...bothVersions(
        ({ version }) =>
          `meta nfproto ipv${version} iifname @masquerade${version} oifname != @bridges masquerade`,
      ),
      ...bothVersions(
        ({ version, ip }) =>
          `iifname . ${ip} saddr @guest_masquerade${version} iifname . oifname != @same_bridge oifname != @bridges masquerade`,
      ),
    ],
  },
  {
    // From one container by the host's address to another: the answer has to come back this way.
    name: 'hairpin',
    rules: [
      'oifname @bridges masquerade',
      ...bothVersions(({ version, ip }) => `oifname . ${ip} daddr @guest${version} masquerade`),
    ],
  },
];
