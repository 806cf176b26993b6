import { createHash } from 'node:crypto';
import { formatCidr, parseCidr } from '../addresses.ts';
import { TsnetError } from '../errors.ts';
import type { Guard, GuardRule } from '../host-state/types.ts';
import { type Chain, VERSIONS } from './chain.ts';
import { checkName } from './fields.ts';

/** The chains that hold the rules of the host's own firewall; a new connection to a published port passes one. */
export const GUARD_CHAINS: readonly string[] = VERSIONS.map(({ version }) => `ufw${version}`);

const VERDICT = { allow: 'goto permit', deny: 'counter drop' } as const;
/**
 * An entry lives for 30 s from the first connection and lets five of them through; a week's rate refills nothing
 * meanwhile. One set for all rules, as ufw's have one list.
 */
const LIMIT = {
  4: 'add @limited4 { ip saddr limit rate over 1/week burst 5 packets } counter drop',
  6: 'add @limited6 { ip6 saddr limit rate over 1/week burst 5 packets } counter drop',
} as const;
const COMMENT = /^guard ([0-9a-f]{16}) (\d+)$/;

/**
 * The two chains. Each says in a comment on its last rule which guard it was made from and how many rules it has.
 * @param guard undefined: no network asks for one, and everything is let through
 * @throws TsnetError OPTION_INVALID for an interface name that cannot be named in a rule, ADDRESS_INVALID for what is
 * no CIDR of the rule's family, INTERNAL for what is no range of ports
 */
export function guardChains(guard: Guard | undefined): readonly Chain[] {
  const { chains, version } = made(guard);
  return chains.map(({ name, rules }) => ({
    name,
    rules: rules.map((rule, index) =>
      index < rules.length - 1 ? rule : `${rule} comment "guard ${version} ${rules.length}"`,
    ),
  }));
}

/**
 * What a guard is known by in the kernel: 16 hex digits, others for every other set of rules.
 * @throws TsnetError as guardChains()
 */
export const guardVersion = (guard: Guard | undefined): string => made(guard).version;

/**
 * Which guard a chain in the kernel was made from; undefined when somebody changed it.
 * @param rules the comment of each rule in the chain
 */
export function versionOf(rules: readonly (string | undefined)[]): string | undefined {
  const [, version, count] = COMMENT.exec(rules.at(-1) ?? '') ?? [];
  return Number(count) === rules.length ? version : undefined;
}

function made(guard: Guard | undefined): { chains: readonly Chain[]; version: string } {
  const chains = VERSIONS.map(({ version, ip }) => {
    const family = version === '4' ? 4 : 6;
    const rules = (guard?.rules ?? []).filter(rule => rule.family === family);
    return {
      name: `ufw${version}`,
      rules: [...rules.flatMap(rule => rulesOf(rule, ip)), VERDICT[guard?.otherwise[family] ?? 'allow']],
    };
  });
  const version = createHash('sha256').update(JSON.stringify(chains)).digest('hex').slice(0, 16);
  return { chains, version };
}

/** nft compares a port that conntrack remembers only where it knows the protocol, and takes no set of them. */
const PROTOCOLS = ['tcp', 'udp', 'sctp'] as const;

/**
 * The rules of the host's firewall are about packets as they came, with the host's address and port, which conntrack
 * remembers; the destination in the packet itself is the container's by now.
 */
function rulesOf(rule: GuardRule, ip: 'ip' | 'ip6'): string[] {
  const { link, protocol, ports, sourcePorts, source, destination } = rule;
  const base = [
    link === undefined ? '' : `iifname "${linkPattern(link)}" `,
    source === undefined ? '' : cidrMatch(`${ip} saddr`, source, rule.family),
    destination === undefined ? '' : cidrMatch(`ct original ${ip} daddr`, destination, rule.family),
    sourcePorts === undefined ? '' : `th sport { ${rangeTexts(sourcePorts).join(', ')} } `,
  ].join('');
  const protocols = protocol === undefined ? ports && PROTOCOLS : [protocol];
  const matches = (protocols ?? ['']).flatMap(one => {
    const byProtocol = one === '' ? base : `${base}meta l4proto ${one} `;
    return ports
      ? rangeTexts(ports).map(range => `${byProtocol}ct original proto-dst ${range} `)
      : [byProtocol];
  });
  return matches.flatMap(match => [
    ...(rule.limit === true && rule.action === 'allow' ? [`${match}${LIMIT[rule.family]}`] : []),
    `${match}${VERDICT[rule.action]}`,
  ]);
}

/** A name, or with a `*` at its end all names that begin with it. */
const linkPattern = (text: string): string =>
  text.endsWith('*') ? `${checkName(text.slice(0, -1))}*` : checkName(text);

function cidrMatch(what: string, text: string, family: 4 | 6): string {
  const cidr = parseCidr(text);
  if (cidr.family !== family) throw new TsnetError('ADDRESS_INVALID', `${text} is no IPv${family} network`);
  return cidr.prefix === 0 ? '' : `${what} ${formatCidr({ ...cidr, address: cidr.network })} `;
}

/** nft takes no overlapping ranges in one set, so they are joined first. */
function rangeTexts(ranges: readonly (readonly [number, number])[]): string[] {
  const joined: [number, number][] = [];
  for (const [first, last] of [...ranges].sort(([a], [b]) => a - b)) {
    if (!isPort(first) || !isPort(last) || first > last) {
      throw new TsnetError('INTERNAL', `${first} to ${last} is no range of ports`);
    }
    const before = joined.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else joined.push([first, last]);
  }
  if (joined.length === 0) throw new TsnetError('INTERNAL', 'a rule about no port at all');
  return joined.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
}

const isPort = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 0xffff;
