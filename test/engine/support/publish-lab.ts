import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { PortRow } from '../../../src/cli/ports-table.ts';
import type { Child } from '../../lab/child.ts';
import type { Lab } from '../../lab/lab.ts';
import type { LabNode } from '../../lab/node.ts';
import { waitFor } from '../../lab/wait.ts';
import { type Attached, attached, type Pinger } from './macvlan-lab.ts';
import type { TsnetHost } from './tsnet-host.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures');
const TSNET = join(import.meta.dirname, '../../../dist/tsnet');

/** A place is written as `ADDRESS:PORT` or `[ADDRESS]:PORT`, with `/udp` where it is not TCP. */
export type Place = string;

/** What is said at a place, `NAME CLIENT_ADDRESS`, or undefined when there is no answer within two seconds. */
export type Answers = Record<Place, string | undefined>;

/** A server in a container of the image cannot be made of busybox alone: its nc has no UDP. */
const NODE = [process.execPath, '/lib', '/lib64']
  .filter(existsSync)
  .flatMap(path => ['-v', `${path}:${path}:ro`]);
const SCTP = join(FIXTURES, 'sctp-packet.ts');
const SERVER = join(FIXTURES, 'name-server.ts');

/**
 * Starts a container that says its name, and who asks, on ports 80 to 82, TCP and UDP, and waits until it does.
 * @param options of `docker run`, such as `-p`
 */
export async function startServer(
  host: TsnetHost,
  name: string,
  network: string,
  ...options: string[]
): Promise<Attached> {
  const run = ['run', '-d', '--stop-timeout', '0', '--name', name, '--network', network, ...NODE];
  const command = [process.execPath, '/name-server.ts', name, '80', '81', '82'];
  await host.docker(...run, '-v', `${SERVER}:/name-server.ts:ro`, ...options, 'busybox', ...command);
  await ready(host, name);
  return attached(host, name, network);
}

/** Waits until the server in a container that has just started answers, by all of the container's addresses. */
export async function ready(host: TsnetHost, container: string): Promise<void> {
  const [pid = '', started = ''] = (
    await host.docker('inspect', '-f', '{{.State.Pid}} {{.State.StartedAt}}', container)
  ).split(' ');
  await waitFor(
    async () => (await host.docker('logs', '--since', started, container)).includes('listening'),
    {
      what: `the server in ${container}`,
    },
  );
  const tentative = ['ip', '-6', 'addr', 'show', 'tentative'];
  await waitFor(
    async () => (await host.host.exec('nsenter', ['-t', pid, '-n', ...tentative])).stdout === '',
    {
      what: `the IPv6 addresses of ${container} to be usable`,
    },
  );
}

/** Asks at several places at once. */
export async function asks(from: Pinger, ...places: Place[]): Promise<Answers> {
  const [node, enter] = 'on' in from ? [from.on.host, await enterContainer(from)] : [from, []];
  return asksWith(node, enter, places);
}

/** @param enter what goes before the command that asks */
async function asksWith(node: LabNode, enter: readonly string[], places: readonly Place[]): Promise<Answers> {
  // One read(2) each: what is left of a datagram after it is gone.
  const script = [
    'ask() { timeout 2 bash -c \'exec 3<>"/dev/$1/$2/$3"; [ $1 = tcp ] || echo hello >&3',
    '  line=$(dd bs=512 count=1 status=none <&3); [ -z "$line" ] || echo "$0 $line"\' "$@"; }',
    ...places.map((place, at) => {
      const { address, port, protocol } = parsePlace(place);
      return `ask ${at} ${protocol} ${address} ${port} 2> /dev/null &`;
    }),
    'wait',
  ].join('\n');
  const [file = '', ...args] = [...enter, 'bash', '-c', script];
  const lines = String((await node.exec(file, args)).stdout).split('\n');
  const said = new Map(lines.map(line => [Number.parseInt(line, 10), line.replace(/^\d+ /, '')]));
  return Object.fromEntries(places.map((place, at) => [place, said.get(at)]));
}

/** The same at one place. */
export const askAt = async (from: Pinger, place: Place): Promise<string | undefined> =>
  (await asks(from, place))[place];

/** What names a process of the host that is to run in a container's network namespace. */
async function enterContainer({ on, container }: { on: TsnetHost; container: string }): Promise<string[]> {
  return ['nsenter', '-t', await on.docker('inspect', '-f', '{{.State.Pid}}', container), '-n'];
}

function parsePlace(place: Place): { address: string; port: string; protocol: string } {
  const [, address = '', port = '', protocol = 'tcp'] = /^\[?(.*?)\]?:(\d+)(?:\/(\w+))?$/.exec(place) ?? [];
  if (port === '') throw new Error(`${place} is no place`);
  return { address, port, protocol };
}

/** What `tsnet ports --json` says. */
export async function portRows(host: TsnetHost): Promise<PortRow[]> {
  return JSON.parse(String((await host.host.exec(TSNET, ['ports', '--json'])).stdout)) as PortRow[];
}

/** The published ports of one container, or of all, as `HOST -> CONTAINER_PORT/PROTOCOL`, sorted. */
export async function published(host: TsnetHost, container?: string): Promise<string[]> {
  return (await portRows(host))
    .filter(row => container === undefined || row.container === container)
    .map(({ hostAddress, hostPort, containerPort, protocol }) => {
      const address = hostAddress.includes(':') ? `[${hostAddress}]` : hostAddress;
      return `${address}:${hostPort} -> ${containerPort}/${protocol}`;
    })
    .sort();
}

/** The host port of the one IPv4 publication of a container's TCP port. */
export async function hostPortOf(host: TsnetHost, container: string, port = 80): Promise<number> {
  const rows = (await portRows(host)).filter(
    row =>
      row.container === container &&
      row.containerPort === port &&
      row.protocol === 'tcp' &&
      !row.hostAddress.includes(':'),
  );
  expect(rows).toHaveLength(1);
  return rows[0]?.hostPort ?? 0;
}

/** What the maps of published ports in tsnet's table hold, `map key : value`, sorted. */
export async function mapElements(host: TsnetHost): Promise<string[]> {
  const listing = await host.host.exec('nft', ['-j', 'list', 'table', 'inet', 'tsnet']);
  const { nftables } = JSON.parse(String(listing.stdout)) as {
    nftables: { map?: { name: string; elem?: [{ concat: unknown[] }, { concat: unknown[] }][] } }[];
  };
  return nftables
    .flatMap(({ map }) =>
      (map?.elem ?? []).map(
        ([key, value]) => `${map?.name} ${key.concat.join(' ')} : ${value.concat.join(' ')}`,
      ),
    )
    .sort();
}

/** Whether processes of the host can bind places with their protocol (`0.0.0.0:80/tcp`): `free`, or the error's code. */
export async function bind(host: TsnetHost, ...places: Place[]): Promise<Record<Place, string>> {
  const { stdout } = await host.host.exec('node', [join(FIXTURES, 'bind-ports.ts'), ...places]);
  return JSON.parse(String(stdout)) as Record<Place, string>;
}

/** A process of the host that binds places and keeps them. @returns it, and its number in the host */
export async function holdPlaces(
  host: TsnetHost,
  ...places: Place[]
): Promise<{ child: Child; pid: number }> {
  const child = await host.host.spawn('node', [join(FIXTURES, 'bind-ports.ts'), '--hold', ...places]);
  await child.waitForOutput('}');
  expect(JSON.parse(child.output())).toEqual(Object.fromEntries(places.map(place => [place, 'free'])));
  return { child, pid: numberInHost(child) };
}

/** What a process is numbered in its own host, which a machine numbers differently. */
export function numberInHost({ pid }: Child): number {
  const numbers = /^NSpid:(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
  return Number(numbers.trim().split(/\s+/).at(-1));
}

/** Asserts that nothing is published, and that processes of the host can bind places that were. */
export async function expectUnpublished(host: TsnetHost, ...places: Place[]): Promise<void> {
  expect(await mapElements(host)).toEqual([]);
  expect(await published(host)).toEqual([]);
  expect(await bind(host, ...places)).toEqual(Object.fromEntries(places.map(place => [place, 'free'])));
}

/** A client that goes on sending over UDP from one source port: see fixtures/udp-series.ts. */
export async function startUdpSeries(from: Pinger, place: Place, sourcePort: number): Promise<Child> {
  const { address, port } = parsePlace(place);
  const series = ['node', join(FIXTURES, 'udp-series.ts'), address, port, String(sourcePort)];
  const [node, enter] = 'on' in from ? [from.on.host, await enterContainer(from)] : [from, []];
  const [file = '', ...args] = [...enter, ...series];
  const child = await node.spawn(file, args);
  await child.waitForOutput('sending');
  return child;
}

/** Prints the SCTP packets that arrive in a container: see fixtures/sctp-packet.ts. */
export async function startSctpReceiver(on: TsnetHost, container: string): Promise<Child> {
  const enter = (await enterContainer({ on, container })).slice(1);
  const child = await on.host.spawn('nsenter', [...enter, 'node', SCTP, 'receive']);
  await child.waitForOutput('receiving');
  return child;
}

/** Sends one SCTP packet over IPv4. */
export async function sendSctp(from: LabNode, place: Place): Promise<void> {
  const { address, port } = parsePlace(place);
  await from.exec('node', [SCTP, 'send', address, port]);
}

/** A container as a client. */
export const inside = (on: TsnetHost, container: string): Pinger => ({ on, container });

/** A machine on the LAN that sends what it should not: see startNeighbour. */
export interface Neighbour {
  /** Bare. */
  readonly address: string;
  /** As asks(). */
  asks(...places: Place[]): Promise<Answers>;
}

/**
 * Makes a machine on the LAN that sends to the first host what is for a container's network (198.18.9.0/24,
 * 2001:db8:9::/64), or for 127.0.0.1 and ::1: it has no loopback of its own. It ends with the lab.
 */
export async function startNeighbour(lab: Lab): Promise<Neighbour> {
  const { address: host, address6: host6 } = lab.host();
  const address = '198.18.0.66';
  await lab.lan.sh(`
    ip netns add bad
    ip link add bad0 type veth peer name eth0 netns bad; ip link set bad0 master br0 up
    ip -n bad addr add ${address}/24 dev eth0; ip -n bad addr add fd99::66/64 dev eth0 nodad; ip -n bad link set eth0 up
    ip netns exec bad sh -c 'for dev in all eth0; do echo 1 > /proc/sys/net/ipv4/conf/$dev/route_localnet; done'
    ip -n bad route add 127.0.0.1 via ${host}; ip -n bad route add 198.18.9.0/24 via ${host}
    ip -n bad route add ::1 via ${host6}; ip -n bad route add 2001:db8:9::/64 via ${host6}`);
  return {
    address,
    asks: (...places) => asksWith(lab.lan, ['ip', 'netns', 'exec', 'bad'], places),
  };
}
