import { canonicalCidr, parseAddress } from '../addresses.ts';
import { isLinkName } from '../host-state/names.ts';
import type { Guard, GuardRule, PortProtocol } from '../host-state/types.ts';
import { ufwSettings } from './ufw-settings.ts';

/** The texts of ufw's files; empty where one is not there. */
export interface UfwFiles {
  /** /etc/default/ufw */
  readonly defaults: string;
  /** /etc/ufw/ufw.conf */
  readonly conf: string;
  /** /etc/ufw/user.rules */
  readonly rules: string;
  /** /etc/ufw/user6.rules */
  readonly rules6: string;
}

type Ports = readonly (readonly [number, number])[];
type Match = Pick<GuardRule, 'ports' | 'sourcePorts' | 'source' | 'destination' | 'link'>;

/**
 * What ufw says about packets to the host: the rules of `ufw allow`, `deny`, `reject` and `limit` in their order, and
 * the default policy. They are read from the comments that ufw keeps its own memory in (_read_rules in
 * ufw/backend_iptables.py), not from the iptables rules below each, for those say the same in more words.
 *
 * Not asked are rules written by hand into before.rules and after.rules, in the language of iptables-restore.
 *
 * @returns undefined when ufw is not enabled
 */
export function parseUfw(files: UfwFiles): Guard | undefined {
  const settings = ufwSettings(files.defaults, files.conf);
  if (!settings.enabled) return undefined;
  const { inputPolicy: policy, ipv6 } = settings;
  return {
    rules: [...rulesIn(files.rules, 4), ...(ipv6 ? rulesIn(files.rules6, 6) : [])],
    // ufw_start in ufw-init-functions: with IPV6=no everything but the loopback link is closed for IPv6.
    otherwise: { 4: policy, 6: ipv6 ? policy : 'deny' },
  };
}

const TUPLE = /^### tuple ###\s+(.*?)(\s+comment=\S*)?\s*$/;

const rulesIn = (text: string, family: 4 | 6): readonly GuardRule[] =>
  text.split('\n').flatMap(line => {
    const fields = TUPLE.exec(line)?.[1]?.split(/\s+/);
    return fields === undefined ? [] : rulesOf(fields, family);
  });

/**
 * `action protocol dport dst sport src [dapp sapp] [direction]`; those of old versions have no direction.
 * @returns none for what does not concern ports of the host, and for what ufw itself skips as malformed
 */
function rulesOf(fields: readonly string[], family: 4 | 6): readonly GuardRule[] {
  if (fields.length < 6 || fields.length > 9) return [];
  const [action = '', protocol = '', ports = '', destination = '', sourcePorts = '', source = ''] = fields;
  const direction = fields.length % 2 === 1 ? (fields.at(-1) ?? '') : 'in';
  const verdict = verdictOf(action);
  if (verdict === undefined) return [];

  const parts = [
    portsOf('ports', ports),
    portsOf('sourcePorts', sourcePorts),
    networkOf('destination', destination, family, verdict.action),
    networkOf('source', source, family, verdict.action),
    linkOf(direction, verdict.action),
  ];
  const match: Match = {};
  for (const part of parts) {
    if (part === undefined) return [];
    Object.assign(match, part);
  }
  const hasPorts = match.ports !== undefined || match.sourcePorts !== undefined;
  return protocolsOf(protocol, hasPorts).map(one => ({ family, ...verdict, ...one, ...match }));
}

/** UFWRule.set_action: `allow`, `limit_log`, `deny_log-all`; `route:` is about packets that are passed on. */
function verdictOf(text: string): Pick<GuardRule, 'action' | 'limit'> | undefined {
  const name = text.toLowerCase().split('_')[0] ?? '';
  if (name.includes(':')) return undefined;
  if (name === 'limit') return { action: 'allow', limit: true };
  // Everything that is none of its four words is a deny to ufw.
  return { action: name === 'allow' ? 'allow' : 'deny' };
}

/** As UFWRule.set_interface. */
const UFW_LINK = /^[\w.+,=%@-]{1,15}$/;

/**
 * `in`, `in_eth0`; iptables' `eth+` becomes nftables' `eth*`. A name that ufw takes and isLinkName does not is nothing
 * that an allow could be about, and a deny is about all links then.
 * @returns undefined for `out`, `out_eth0` and what is neither
 */
function linkOf(direction: string, action: GuardRule['action']): Match | undefined {
  if (direction === 'in') return {};
  const name = direction.startsWith('in_') ? direction.slice(3) : '';
  if (!UFW_LINK.test(name) || name === '.' || name === '..') return undefined;
  if (name === '+') return {};
  if (!isLinkName(name.replace(/\+$/, ''))) return action === 'deny' ? {} : undefined;
  return { link: name.replace(/\+$/, '*') };
}

/** Of the others (ah, esp, gre ...) none has ports to publish. Any protocol with a port is two: man ufw, "any". */
function protocolsOf(text: string, hasPorts: boolean): readonly { readonly protocol?: PortProtocol }[] {
  if (text === 'any') return hasPorts ? [{ protocol: 'tcp' }, { protocol: 'udp' }] : [{}];
  return text === 'tcp' || text === 'udp' || text === 'sctp' ? [{ protocol: text }] : [];
}

/** `any`, `80`, `80,443,8000:8010`. */
function portsOf(field: 'ports' | 'sourcePorts', text: string): Match | undefined {
  if (text === 'any') return {};
  const ranges: Ports = text.split(',').map(part => {
    const [, first, last] = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(part) ?? [];
    return [Number(first), Number(last ?? first)];
  });
  return ranges.every(([first, last]) => first >= 1 && first <= last && last <= 65535)
    ? { [field]: ranges }
    : undefined;
}

/** `any`, an address, or one with a prefix length or dotted mask. */
function networkOf(
  field: 'destination' | 'source',
  text: string,
  family: 4 | 6,
  action: GuardRule['action'],
): Match | undefined {
  const [address = '', mask = family === 4 ? '32' : '128'] = text.split('/');
  if (text === 'any') return {};
  try {
    if (parseAddress(address).family !== family) return undefined;
    const length = mask.includes('.') ? lengthOf(mask, action) : mask;
    if (length === undefined) return undefined;
    return length === '0' ? {} : { [field]: canonicalCidr(`${address}/${length}`, { network: true }) };
  } catch {
    return undefined;
  }
}

/**
 * ufw writes a prefix length wherever there is one; a mask with holes has none. So as not to be more open than ufw, a
 * deny then covers the network of the ones in front, and an allow nothing.
 */
function lengthOf(mask: string, action: GuardRule['action']): string | undefined {
  const bits = parseAddress(mask).value.toString(2).padStart(32, '0');
  const ones = bits.indexOf('0') === -1 ? 32 : bits.indexOf('0');
  const isWhole = !bits.slice(ones).includes('1');
  return isWhole || action === 'deny' ? String(ones) : undefined;
}
