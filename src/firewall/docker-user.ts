import { z } from 'zod';
import { PACKET_MARK } from '../host-state/mark.ts';

/**
 * The one rule outside of tsnet's table. An engine with the iptables backend sets the policy of FORWARD to DROP and
 * knows nothing of the bridges of a remote driver; the chain DOCKER-USER is where it lets others have a say
 * (https://docs.docker.com/engine/network/packet-filtering-firewalls/). Where somebody else sets that policy, as ufw
 * does, and there is no such chain (an engine with iptables=false, or with the nftables backend), it is in FORWARD.
 */
export const DOCKER_USER = 'DOCKER-USER';
export const FORWARD = 'FORWARD';
export type MarkRuleChain = typeof DOCKER_USER | typeof FORWARD;
export const DOCKER_FAMILIES = ['ip', 'ip6'] as const;
export type DockerFamily = (typeof DOCKER_FAMILIES)[number];

const COMMENT = 'tsnet';
const MARK = `0x${PACKET_MARK.toString(16)}`;

export const listMarkRules = (family: DockerFamily, chain: MarkRuleChain): string =>
  `list chain ${family} filter ${chain}`;

/** iptables 1.8 reads this back as the rule of legacyRule(). */
export const insertMarkRule = (family: DockerFamily, chain: MarkRuleChain): string =>
  `insert rule ${family} filter ${chain} meta mark & ${MARK} == ${MARK} counter accept comment "${COMMENT}"`;

export const deleteMarkRule = (family: DockerFamily, chain: MarkRuleChain, handle: number): string =>
  `delete rule ${family} filter ${chain} handle ${handle}`;

const MATCH = z.object({
  match: z.object({
    op: z.literal('=='),
    left: z.object({
      '&': z.tuple([z.object({ meta: z.object({ key: z.literal('mark') }) }), z.literal(PACKET_MARK)]),
    }),
    right: z.literal(PACKET_MARK),
  }),
});
const ACCEPT = z.object({ accept: z.null() });
/** What may stand beside the two: a comment that iptables wrote, which some versions of nft print as null. */
const NEUTRAL = z.union([
  z.object({ counter: z.unknown() }).required(),
  z.object({ xt: z.union([z.null(), z.object({ type: z.literal('match'), name: z.literal('comment') })]) }),
]);
const RULE = z.object({
  rule: z.object({ handle: z.number(), expr: z.array(z.unknown()) }),
});
const CHAIN = z.object({ chain: z.object({ policy: z.string() }) });
const LISTING = z.object({ nftables: z.array(z.unknown()) });

/**
 * Handles of tsnet's rules in a JSON listing of a chain, top first. A rule is known by all that it does and not
 * by its comment: iptables-save with iptables-restore keeps the first in a native form, but moves the second into an
 * expression of xtables.
 */
export function findMarkRules(listing: unknown): readonly number[] {
  return (LISTING.safeParse(listing).data?.nftables ?? []).flatMap(object => {
    const rule = RULE.safeParse(object).data?.rule;
    const rest = rule?.expr.filter(part => !NEUTRAL.safeParse(part).success) ?? [];
    const ours = rest.length === 2 && MATCH.safeParse(rest[0]).success && ACCEPT.safeParse(rest[1]).success;
    return rule && ours ? [rule.handle] : [];
  });
}

/** Whether a JSON listing is of a chain whose policy is DROP. */
export const dropsByPolicy = (listing: unknown): boolean =>
  (LISTING.safeParse(listing).data?.nftables ?? []).some(
    object => CHAIN.safeParse(object).data?.chain.policy === 'drop',
  );

/** The rule as arguments of iptables, after `-I DOCKER-USER` and the like. */
export const legacyRule = (): readonly string[] => [
  ...['-m', 'mark', '--mark', `${MARK}/${MARK}`],
  ...['-m', 'comment', '--comment', COMMENT],
  ...['-j', 'ACCEPT'],
];

/** How often the rule stands in the output of `iptables -S DOCKER-USER`. */
export function countLegacyRules(output: string): number {
  const line = ['-A', DOCKER_USER, ...legacyRule()].join(' ');
  return output.split('\n').filter(text => text.trim() === line).length;
}
