import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { removeTable } from '../../src/kernel/nft/table.ts';
import type { Target } from './lab/place.ts';
import {
  addressOf,
  gatewayOf,
  ONLY_HOST,
  ONLY_LOOPBACK,
  type PlaceName,
  PORTS,
  VERSIONS,
  type Version,
} from './lab/plan.ts';
import { PublishLab } from './lab/publish-lab.ts';

let lab: PublishLab;

beforeAll(async () => {
  lab = await PublishLab.create();
});

afterAll(() => lab?.close());

type Where = PlaceName | 'host';
/** Who asks, whom, and what the one who answers says; undefined: nobody does. */
type Row = readonly [from: Where, to: Target, answer: string | undefined];

/** What the rows of a table answer, in their words, for TCP and UDP; all at once. */
async function results(rows: readonly Row[]): Promise<string[]> {
  const line = async ([from, [address, port], wanted]: Row): Promise<string> => {
    const patience = wanted === undefined ? 'short' : 'long';
    const ask = (protocol: 'tcp' | 'udp') => lab.at(from).ask([address, port], protocol, patience);
    const [tcp, udp] = await Promise.all([ask('tcp'), ask('udp')]);
    return `${from} -> ${address} ${port}: ${tcp === udp ? tcp : `tcp ${tcp}, udp ${udp}`}`;
  };
  return Promise.all(rows.map(line));
}

const wanted = (rows: readonly Row[]): string[] =>
  rows.map(([from, [address, port], answer]) => `${from} -> ${address} ${port}: ${answer ?? 'silence'}`);

function rowsOf(version: Version, netfilter: number): Row[] {
  // ::1 is not translated but relayed by a socket, and here is none.
  const byLoopback = (place: PlaceName, source: string) =>
    version === 6 ? 'ECONNREFUSED' : `${place} saw ${source}`;
  const host = addressOf('host', version);
  const loopback = version === 4 ? '127.0.0.1' : '::1';
  const address = (place: PlaceName) => addressOf(place, version);
  const gateway = (bridge: Parameters<typeof gatewayOf>[0]) => gatewayOf(bridge, version);
  // br_netfilter turns a packet to a neighbour round within the bridge, and its answer comes back that way.
  const neighbour = (place: PlaceName, bridge: Parameters<typeof gatewayOf>[0]) =>
    netfilter === 1 ? address(place) : gateway(bridge);
  return [
    // A neighbour on the LAN, whose address the container sees.
    ['lan', [host, PORTS.a], `a saw ${address('lan')}`],
    ['lan', [host, ONLY_HOST], `a saw ${address('lan')}`],
    ['lan', [gateway('tsb1'), PORTS.a], `a saw ${address('lan')}`],
    ['lan', [host, PORTS.restricted], `restricted saw ${address('lan')}`],
    ['lan', [host, PORTS.lone], `lone saw ${address('lan')}`],
    ['lan', [host, PORTS.guest], `guest saw ${address('lan')}`],
    ['lan', [host, PORTS.macvlan], `macvlan saw ${host}`],
    ['lan', [host, PORTS.internal], undefined],
    // The containers' own addresses, which the neighbour routes to the host.
    ['lan', [address('a'), 80], undefined],
    ['lan', [address('guest'), 80], undefined],
    ['lan', [address('internal'), 80], undefined],
    ['lan', [address('routed'), 80], `routed saw ${address('lan')}`],
    ['lan', [address('routed'), 81], undefined],
    ['lan', [address('unprotected'), 80], `unprotected saw ${address('lan')}`],
    ['lan', [address('x'), 80], undefined],
    // The host itself, by each of its addresses.
    ['host', [host, PORTS.a], `a saw ${host}`],
    ['host', [gateway('tsb2'), PORTS.a], `a saw ${gateway('tsb2')}`],
    ['host', [loopback, PORTS.a], byLoopback('a', gateway('tsb1'))],
    ['host', [loopback, ONLY_LOOPBACK], byLoopback('a', gateway('tsb1'))],
    ['host', [host, ONLY_HOST], `a saw ${host}`],
    ['host', [host, PORTS.restricted], `restricted saw ${host}`],
    ['host', [loopback, PORTS.lone], byLoopback('lone', gateway('tsb4'))],
    ['host', [host, PORTS.guest], `guest saw ${host}`],
    ['host', [host, PORTS.macvlan], `macvlan saw ${host}`],
    ['host', [loopback, PORTS.macvlan], byLoopback('macvlan', host)],
    ['host', [address('a'), 80], `a saw ${gateway('tsb1')}`],
    // Containers by the host's address: the same one, one of the same network, of other networks.
    ['a', [host, PORTS.a], `a saw ${gateway('tsb1')}`],
    ['a2', [host, PORTS.a], `a saw ${neighbour('a2', 'tsb1')}`],
    ['a2', [gateway('tsb1'), PORTS.a], `a saw ${neighbour('a2', 'tsb1')}`],
    // br_netfilter keeps the frame on the bridge, whose ports do not talk to each other in such a network.
    ['lone2', [host, PORTS.lone], netfilter === 1 ? undefined : `lone saw ${gateway('tsb4')}`],
    ['other', [host, PORTS.restricted], `restricted saw ${neighbour('other', 'tsb2')}`],
    ['other', [host, PORTS.a], `a saw ${gateway('tsb1')}`],
    ['x', [host, PORTS.a], `a saw ${gateway('tsb1')}`],
    ['a', [host, PORTS.x], `x saw ${gateway('tsb7')}`],
    ['a', [host, PORTS.restricted], undefined],
    ['a', [host, PORTS.guest], `guest saw ${gateway('fbr0')}`],
    ['a', [host, PORTS.macvlan], `macvlan saw ${host}`],
    ['guest', [host, PORTS.a], `a saw ${gateway('tsb1')}`],
    ['guest', [host, PORTS.guest], `guest saw ${gateway('fbr0')}`],
    ['o', [gateway('fbr0'), PORTS.guest], `guest saw ${neighbour('o', 'fbr0')}`],
    ['o', [host, PORTS.a], `a saw ${address('o')}`],
    ['macvlan', [host, PORTS.a], `a saw ${address('macvlan')}`],
    ['macvlan', [host, PORTS.macvlan], `macvlan saw ${host}`],
    // Containers by their own addresses.
    ['a2', [address('a'), 80], `a saw ${address('a2')}`],
    ['lone2', [address('lone'), 80], undefined],
    ['other', [address('a'), 80], undefined],
    ['a', [address('guest'), 80], undefined],
    ['a', [address('routed'), 80], `routed saw ${address('a')}`],
    ['a', [address('routed'), 81], undefined],
    ['a', [address('unprotected'), 80], undefined],
    ['x', [address('y'), 80], `y saw ${address('x')}`],
    ['y', [address('x'), 80], `x saw ${address('y')}`],
    ['x', [address('a'), 80], undefined],
    ['a', [address('x'), 80], undefined],
    // An internal network, neither there nor from there.
    ['internal', [host, PORTS.a], undefined],
    ['internal', [gateway('tsb3'), PORTS.a], undefined],
    ['internal', [host, PORTS.macvlan], undefined],
    ['internal', [address('routed'), 80], undefined],
    ['a', [host, PORTS.internal], undefined],
    ['macvlan', [host, PORTS.internal], undefined],
  ];
}

describe.each(VERSIONS)('IPv%d', version => {
  describe.each([0, 1])('bridge-nf-call-iptables=%d', netfilter => {
    beforeAll(async () => {
      lab.host.namespace.sysctl('bridge/bridge-nf-call-iptables', `${netfilter}`);
      lab.host.namespace.sysctl('bridge/bridge-nf-call-ip6tables', `${netfilter}`);
      await lab.table();
    });

    test('who reaches what, and as whom', async () => {
      const rows = rowsOf(version, netfilter);
      expect(await results(rows)).toEqual(wanted(rows));
    });
  });

  test('the same where the host drops what is forwarded, and no mark is left on a packet', async () => {
    lab.host.namespace.sysctl('bridge/bridge-nf-call-iptables', '0');
    lab.host.namespace.sysctl('bridge/bridge-nf-call-ip6tables', '0');
    await lab.table();
    // As Docker's FORWARD with its one rule for tsnet in DOCKER-USER.
    await lab.nft.run(`table inet strict {
      counter left {}
      chain forward {
        type filter hook forward priority 0; policy drop;
        meta mark & 0x10000000 == 0x10000000 accept
      }
      chain postrouting {
        type filter hook postrouting priority -299;
        meta mark & 0x10000000 == 0x10000000 counter name left
      }
    }`);
    const rows = rowsOf(version, 0);
    expect(await results(rows)).toEqual(wanted(rows));
    expect(await lab.host.namespace.exec('nft', 'list', 'counters')).toContain('packets 0 ');
    await lab.nft.run('delete table inet strict');
  });

  test('without the table, neighbours and networks do reach the addresses of containers', async () => {
    await removeTable(lab.nft);
    const rows: Row[] = [
      ['lan', [addressOf('a', version), 80], `a saw ${addressOf('lan', version)}`],
      ['lan', [addressOf('guest', version), 80], `guest saw ${addressOf('lan', version)}`],
      ['lan', [addressOf('internal', version), 80], `internal saw ${addressOf('lan', version)}`],
      ['other', [addressOf('a', version), 80], `a saw ${addressOf('other', version)}`],
      ['x', [addressOf('a', version), 80], `a saw ${addressOf('x', version)}`],
      ['internal', [addressOf('routed', version), 80], `routed saw ${addressOf('internal', version)}`],
    ];
    expect(await results(rows)).toEqual(wanted(rows));
  });

  test('ICMP goes to routed and unprotected networks, and to no other', async () => {
    await lab.table();
    const pings = (['routed', 'unprotected', 'a', 'guest', 'x', 'internal'] as const).map(
      async place => `${place} ${await lab.at('lan').namespace.reaches(addressOf(place, version))}`,
    );
    expect(await Promise.all(pings)).toEqual([
      'routed true',
      'unprotected true',
      'a false',
      'guest false',
      'x false',
      'internal false',
    ]);
  });
});
