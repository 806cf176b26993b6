import { formatAddress, parseAddress } from '../../addresses.ts';
import { TsnetError } from '../../errors.ts';
import { CHAINS, TABLE } from '../../firewall/skeleton.ts';
import type { PortProtocol, Redirect } from '../../host-state/types.ts';

/** Ahead of the rules that the engine puts into sandboxes (iptables, -100), as on the host. */
export const PRIORITY = -105;
export const HOOKS = ['prerouting', 'output'] as const;
const PROTOCOLS: readonly PortProtocol[] = ['tcp', 'udp', 'sctp'];

/**
 * Names of what an endpoint has in the table of its sandbox, which endpoints of other networks share.
 * @throws TsnetError INTERNAL for an id that cannot be part of a name in nft's syntax
 */
export function namesOf(endpointId: string) {
  if (!/^\w{1,64}$/.test(endpointId)) throw internal(`endpoint id ${JSON.stringify(endpointId)}`);
  return {
    maps: { 4: `ports4_${endpointId}`, 6: `ports6_${endpointId}` },
    chains: HOOKS.map(hook => ({ hook, name: `${hook}_${endpointId}` })),
  };
}

/** One rule as key and value of its map, canonical. @throws TsnetError ADDRESS_INVALID, INTERNAL */
export function elementOf({ protocol, address, from, to }: Redirect['rules'][number]) {
  if (!PROTOCOLS.includes(protocol)) throw internal(`protocol ${JSON.stringify(protocol)}`);
  for (const port of [from, to]) {
    if (!Number.isInteger(port) || port < 1 || port > 65535) throw internal(`port ${port}`);
  }
  const { family, value } = parseAddress(address);
  const canonical = formatAddress(family, value);
  return { family, key: [canonical, protocol, `${from}`], value: [canonical, `${to}`] };
}

/**
 * libnftables opens its socket anew when a listing of its own was interrupted, and does so wherever the worker thread is:
 * on the host. There the table has this chain already, so that the whole transaction is refused.
 */
const NOT_ON_THE_HOST = [
  `add table ${TABLE}`,
  `create chain ${TABLE} ${CHAINS[0]?.name}`,
  `delete chain ${TABLE} ${CHAINS[0]?.name}`,
];

/** nft text that puts an endpoint's ports into the sandbox's table, whatever was there of them; it may be repeated. */
export function renderRedirect({ endpointId, rules }: Redirect): string {
  const { maps, chains } = namesOf(endpointId);
  const elements = rules.map(elementOf);
  const commands = [...NOT_ON_THE_HOST];
  for (const family of [4, 6] as const) {
    const type = `ipv${family}_addr . inet_proto . inet_service : ipv${family}_addr . inet_service`;
    commands.push(`add map ${TABLE} ${maps[family]} { type ${type}; }`, `flush map ${TABLE} ${maps[family]}`);
    const own = elements.filter(element => element.family === family);
    const texts = own.map(({ key, value }) => `${key.join(' . ')} : ${value.join(' . ')}`);
    if (texts.length > 0)
      commands.push(`add element ${TABLE} ${maps[family]} { ${[...new Set(texts)].join(', ')} }`);
  }
  for (const { name, hook } of chains) {
    commands.push(
      `add chain ${TABLE} ${name} { type nat hook ${hook} priority ${PRIORITY}; policy accept; }`,
      `flush chain ${TABLE} ${name}`,
      `add rule ${TABLE} ${name} dnat ip to ip daddr . meta l4proto . th dport map @${maps[4]}`,
      `add rule ${TABLE} ${name} dnat ip6 to ip6 daddr . meta l4proto . th dport map @${maps[6]}`,
    );
  }
  return `${commands.join('\n')}\n`;
}

/** nft text that takes an endpoint's ports out of the sandbox's table, in which they all are. */
export function renderRemoval({ endpointId }: Pick<Redirect, 'endpointId'>): string {
  const { maps, chains } = namesOf(endpointId);
  const commands = [
    ...NOT_ON_THE_HOST,
    ...chains.map(({ name }) => `flush chain ${TABLE} ${name}`),
    ...chains.map(({ name }) => `delete chain ${TABLE} ${name}`),
    ...Object.values(maps).map(name => `delete map ${TABLE} ${name}`),
  ];
  return `${commands.join('\n')}\n`;
}

/** nft text that removes the sandbox's table with all that is in it. */
export const renderTableRemoval = (): string => [...NOT_ON_THE_HOST, `delete table ${TABLE}\n`].join('\n');

const internal = (what: string): TsnetError => new TsnetError('INTERNAL', `${what} cannot be redirected`);
