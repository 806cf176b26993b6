import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FlowMatch } from '../../../src/host-state/flows.ts';
import { Conntrack } from '../../../src/kernel/conntrack/conntrack.ts';
import { type TestNamespace, testNamespace } from '../namespace.ts';
import { type Exchange, type Peer, type PeerPlan, startPeer } from '../peer.ts';

const PLACES = {
  4: { host: '198.18.0.1', container: '198.18.0.2', client: '198.18.0.3' },
  6: { host: '2001:db8::1', container: '2001:db8::2', client: '2001:db8::3' },
} as const;
type Place = keyof (typeof PLACES)[4];

/** Connections by name; `published` is redirected into the container, `masked` seems to come from it. */
const FLOWS = {
  direct: ['tcp', 'client', 'container', 80],
  published: ['tcp', 'client', 'host', 8080],
  otherPort: ['tcp', 'client', 'container', 81],
  outward: ['tcp', 'container', 'host', 7000],
  unrelated: ['tcp', 'client', 'host', 7000],
  datagrams: ['udp', 'client', 'host', 8080],
  masked: ['udp', 'client', 'host', 9000],
} as const satisfies Record<string, [Exchange['protocol'], Place, Place, number]>;
type Name = `${keyof typeof FLOWS}${4 | 6}`;

const named = ([4, 6] as const).flatMap(family =>
  Object.entries(FLOWS).map(([name, [protocol, from, to, port]]) => ({
    name: `${name}${family}` as Name,
    protocol,
    from: PLACES[family][from],
    to: PLACES[family][to],
    port,
  })),
);

const plan: PeerPlan = {
  serve: ([4, 6] as const).flatMap(family =>
    (
      [
        ['tcp', 'container', 80],
        ['tcp', 'container', 81],
        ['udp', 'container', 80],
        ['tcp', 'host', 7000],
        ['udp', 'host', 8080],
        ['udp', 'host', 9000],
      ] as const
    ).map(([protocol, place, port]) => ({ protocol, address: PLACES[family][place], port, says: place })),
  ),
  exchanges: named,
};

/** A rule of conntrack's makes the kernel track; the rest is the NAT of FLOWS. */
const RULES = `
  table inet t {
    chain track {
      type filter hook output priority 0
      ct state new counter
    }
    chain in {
      type nat hook output priority -105
      ip daddr 198.18.0.1 tcp dport 8080 dnat ip to 198.18.0.2:80
      ip6 daddr 2001:db8::1 tcp dport 8080 dnat ip6 to [2001:db8::2]:80
    }
    chain out {
      type nat hook postrouting priority 100
      udp dport 9000 ip saddr 198.18.0.3 snat ip to 198.18.0.2
      udp dport 9000 ip6 saddr 2001:db8::3 snat ip6 to 2001:db8::2
    }
  }`;

let ns: TestNamespace;
let peer: Peer;
let conntrack: Conntrack;

beforeEach(async () => {
  ns = await testNamespace();
  const addresses = [...Object.values(PLACES[4]), ...Object.values(PLACES[6])];
  await ns.sh(addresses.map(address => `ip addr add ${address} dev lo`).join('\n'));
});
afterEach(async () => {
  conntrack.close();
  await ns[Symbol.asyncDispose]();
});

/** The names of the flows that the kernel tracks, by /proc/net/nf_conntrack. */
async function tracked(): Promise<Set<Name>> {
  const table = await ns.sh('cat /proc/net/nf_conntrack');
  return new Set(
    table.split('\n').flatMap(line => {
      const [, src, dst, dport] = /src=(\S+) dst=(\S+) sport=\d+ dport=(\d+)/.exec(line) ?? [];
      const found = named.find(
        flow =>
          line.includes(` ${flow.protocol} `) &&
          long(flow.from) === src &&
          long(flow.to) === dst &&
          flow.port === Number(dport),
      );
      return found ? [found.name] : [];
    }),
  );
}

/** As the kernel prints addresses there. */
const long = (address: string): string =>
  address.replace(/^2001:db8::(\d)$/, '2001:0db8:0000:0000:0000:0000:0000:000$1');

describe.each([
  { way: 'a deletion each, where the kernel can', limits: {} },
  { way: 'one dump for all', limits: { flushes: 0 } },
  { way: 'a dump each', limits: { flushes: 0, walk: 0 } },
])('forget, by $way', ({ limits }) => {
  beforeEach(async () => {
    conntrack = new Conntrack(ns.path, limits);
    await ns.sh(`nft '${RULES}'`);
    peer = await startPeer(ns.path, plan);
    expect(peer.answers).not.toContain('ABORT_ERR');
    expect(await tracked()).toEqual(new Set(named.map(({ name }) => name)));
  });
  afterEach(() => peer[Symbol.asyncDispose]());

  const { container } = PLACES[4];
  it.each<{ what: string; matches: FlowMatch[]; gone: Name[] }>([
    {
      what: 'all of a container, whichever direction has its address',
      matches: [{ family: 4, container }],
      gone: ['direct4', 'published4', 'otherPort4', 'outward4', 'masked4'],
    },
    {
      what: 'all of a container, IPv6',
      matches: [{ family: 6, container: '2001:DB8:0::2' }],
      gone: ['direct6', 'published6', 'otherPort6', 'outward6', 'masked6'],
    },
    {
      what: 'those to a port of a container, through a published port or not',
      matches: [
        { family: 4, protocol: 'tcp', container, containerPort: 80 },
        { family: 6, protocol: 'tcp', container: PLACES[6].container, containerPort: 81 },
      ],
      gone: ['direct4', 'published4', 'otherPort6'],
    },
    {
      what: 'those to some of the ports of one container',
      matches: [80, 81, 82].flatMap(containerPort => [
        { family: 4, protocol: 'tcp', container, containerPort },
        { family: 6, protocol: 'tcp', container: PLACES[6].container, containerPort },
      ]),
      gone: ['direct4', 'published4', 'otherPort4', 'direct6', 'published6', 'otherPort6'],
    },
    {
      what: 'those with a port of the host itself, of one protocol, and none that lead to a container',
      matches: [
        { family: 4, protocol: 'udp', hostPort: 8080 },
        { family: 6, protocol: 'tcp', hostPort: 8080 },
      ],
      gone: ['datagrams4'],
    },
    {
      what: 'those of a container and a protocol',
      matches: [{ family: 4, protocol: 'udp', container }],
      gone: ['masked4'],
    },
    {
      what: 'those that two matches mean, once',
      matches: [
        { family: 4, container },
        { family: 4, protocol: 'tcp', container, containerPort: 80 },
        { family: 4, protocol: 'tcp', hostPort: 8080 },
      ],
      gone: ['direct4', 'published4', 'otherPort4', 'outward4', 'masked4'],
    },
    {
      what: 'none of another address, port or protocol',
      matches: [
        { family: 4, container: '198.18.0.9' },
        { family: 4, protocol: 'udp', container, containerPort: 80 },
        { family: 6, protocol: 'sctp', hostPort: 8080 },
      ],
      gone: [],
    },
  ])('ends $what', async ({ matches, gone }) => {
    await conntrack.forget(matches);
    const left = named.map(({ name }) => name).filter(name => !gone.includes(name));
    expect(await tracked()).toEqual(new Set(left));
  });

  it('lets the next datagram meet the rules as they are now', async () => {
    const index = named.findIndex(({ name }) => name === 'datagrams4');
    await ns.sh('nft add rule inet t in ip daddr 198.18.0.1 udp dport 8080 dnat ip to 198.18.0.2:80');
    expect((await peer.again())[index]).toBe('host');
    await conntrack.forget([{ family: 4, protocol: 'udp', hostPort: 8080 }]);
    expect((await peer.again())[index]).toBe('container');
  });
});

describe('forget', () => {
  const matches: FlowMatch[] = [
    { family: 4, container: '198.18.0.2' },
    { family: 6, protocol: 'udp', hostPort: 1 },
  ];

  it('has nothing to do where nothing is tracked', async () => {
    conntrack = new Conntrack(ns.path);
    await conntrack.forget(matches);
    await conntrack.forget([]);
    expect(await tracked()).toEqual(new Set());
  });

  it('ends more connections than one datagram can name', async () => {
    conntrack = new Conntrack(ns.path);
    await ns.sh(`nft '${RULES}'`);
    const exchanges = Array.from({ length: 150 }, () => ({
      protocol: 'udp' as const,
      from: PLACES[4].client,
      to: PLACES[4].container,
      port: 80,
    }));
    const [, , server] = plan.serve ?? [];
    await using _ = await startPeer(ns.path, { serve: server ? [server] : [], exchanges });
    const count = async () => Number(await ns.sh('grep -c ^ipv4.*dport=80 /proc/net/nf_conntrack || true'));
    expect(await count()).toBe(150);
    await conntrack.forget(matches);
    expect(await count()).toBe(0);
  });
});
