import { execa } from 'execa';
import ipaddr from 'ipaddr.js';
import { hasOwnNet } from './proc.ts';

/** The address plan of a lab: one LAN segment for each network card of its hosts. */
export interface AddressPlan {
  /** First three bytes of segment 0, a /24; each further segment is the next /24. Default `198.18.0`. */
  prefix4: string;
  /** First 48 bits: segment `k` is `PREFIX6:k::/64`. Default `fd99:0:0`, so that the LAN node is fd99::1. */
  prefix6: string;
  /** Bytes of the largest packet on the LAN. */
  mtu: number;
}

/** IPv4 and IPv6 address, bare, of the member with number `member` (1: the LAN node) on a segment. */
export function addressOf(plan: AddressPlan, segment: number, member: number): { v4: string; v6: string } {
  const [a, b, c] = plan.prefix4.split('.').map(Number);
  const v6 = ipaddr.parse(`${plan.prefix6}:${segment}::${member.toString(16)}`).toString();
  return { v4: `${a}.${b}.${(c ?? 0) + segment}.${member}`, v6 };
}

/**
 * Runs `ip` commands, one a line, in the network namespace of a lab's process.
 *
 * @throws Error when that namespace is the machine's own, or a command fails
 */
export async function ipBatch(pid: number, lines: readonly string[]): Promise<void> {
  if (!hasOwnNet(pid))
    throw new Error(`lab: refusing to change the network of process ${pid}: it is not a lab's`);
  await execa('nsenter', ['-t', String(pid), '-n', 'ip', '-batch', '-'], { input: `${lines.join('\n')}\n` });
}

/** Makes the LAN node's switches, `br0`, `br1` ..., which carry the LAN node's own addresses. */
export async function makeSwitches(lan: number, plan: AddressPlan, segments: number): Promise<void> {
  const lines: string[] = [];
  for (let k = 0; k < segments; k++) {
    const { v4, v6 } = addressOf(plan, k, 1);
    lines.push(
      // a plain switch: ports forward at once, multicast goes everywhere
      `link add br${k} mtu ${plan.mtu} type bridge forward_delay 0 mcast_snooping 0`,
      `link set br${k} up`,
      `addr add ${v4}/24 dev br${k}`,
      `addr add ${v6}/64 dev br${k} nodad`,
    );
  }
  await ipBatch(lan, lines);
}

/** Name of the switch's port that a host's card is plugged into. */
export function portName(host: string, segment: number): string {
  return `${host}n${segment}`;
}

/**
 * Plugs a host into segments, one card each: `eth0`, `eth1` ... get member addresses, and the LAN node becomes the default
 * route by way of `eth0`.
 */
export async function plugIn(
  lan: number,
  host: { name: string; pid: number; member: number; mac?: string | undefined },
  plan: AddressPlan,
  segments: readonly number[],
): Promise<void> {
  if (!hasOwnNet(host.pid)) throw new Error(`lab: ${host.name} has no network namespace of its own`);
  const mac = host.mac === undefined ? '' : ` address ${host.mac}`;
  const outside: string[] = [];
  const inside: string[] = [];
  for (const k of segments) {
    const port = portName(host.name, k);
    const { v4, v6 } = addressOf(plan, k, host.member);
    outside.push(
      `link add ${port} mtu ${plan.mtu} type veth peer name eth${k}${mac} mtu ${plan.mtu} netns ${host.pid}`,
      `link set ${port} master br${k} up`,
    );
    inside.push(
      `link set eth${k} up`,
      `addr add ${v4}/24 dev eth${k}`,
      `addr add ${v6}/64 dev eth${k} nodad`,
    );
  }
  if (segments.includes(0)) {
    const gateway = addressOf(plan, 0, 1);
    inside.push(`route add default via ${gateway.v4}`, `route add ::/0 via ${gateway.v6}`);
  }
  await ipBatch(lan, outside);
  await ipBatch(host.pid, inside);
}
