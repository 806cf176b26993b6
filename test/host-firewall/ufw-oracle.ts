import ipaddr from 'ipaddr.js';

/** A packet to the host that opens a connection. */
export interface Packet {
  readonly family: 4 | 6;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly port: number;
  readonly sourcePort: number;
  /** Bare. */
  readonly source: string;
  /** Bare. */
  readonly destination: string;
  readonly link: string;
}

export type Verdict = 'allow' | 'deny' | 'limit';

/**
 * What the iptables rules that ufw writes below its own records do to a packet: the other half of user.rules, which
 * tsnet does not read. @returns undefined when none of them decides
 */
export function iptablesVerdict(text: string, packet: Packet): Verdict | undefined {
  for (const line of text.split('\n')) {
    const [, rest] = /^-A ufw6?-user-input (.*)$/.exec(line) ?? [];
    if (rest === undefined) continue;
    const verdict = targetOf(rest);
    if (verdict !== undefined && matches(rest, packet)) return verdict;
  }
  return undefined;
}

function targetOf(rule: string): Verdict | undefined {
  const [, target = ''] = /-j (\S+)/.exec(rule) ?? [];
  if (target === 'ACCEPT') return 'allow';
  if (target === 'DROP' || target === 'REJECT') return 'deny';
  return /-user-limit-accept$/.test(target) ? 'limit' : undefined;
}

function matches(rule: string, packet: Packet): boolean {
  const option = (name: string) => new RegExp(`(?:^| )${name} (\\S+)`).exec(rule)?.[1];
  const link = option('-i');
  const [protocol, source, destination] = [option('-p'), option('-s'), option('-d')];
  return (
    (protocol === undefined || protocol === packet.protocol) &&
    inPorts(option('--dports?'), packet.port) &&
    inPorts(option('--sports?'), packet.sourcePort) &&
    inNetwork(source, packet.source) &&
    inNetwork(destination, packet.destination) &&
    (link === undefined ||
      (link.endsWith('+') ? packet.link.startsWith(link.slice(0, -1)) : link === packet.link))
  );
}

const inPorts = (text: string | undefined, port: number): boolean =>
  text === undefined ||
  text.split(',').some(part => {
    const [first, last = first] = part.split(':').map(Number);
    return first !== undefined && last !== undefined && first <= port && port <= last;
  });

export const inNetwork = (cidr: string | undefined, address: string): boolean => {
  if (cidr === undefined) return true;
  const parsed = ipaddr.parse(address);
  const [network, length] = ipaddr.parseCIDR(
    cidr.includes('/') ? cidr : `${cidr}/${cidr.includes(':') ? 128 : 32}`,
  );
  return parsed.kind() === network.kind() && parsed.match(network, length);
};
