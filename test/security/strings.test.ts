import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeTarget } from '../../chaos/fuzz/fake-target.ts';
import { Nasty } from '../../chaos/fuzz/nasty.ts';
import { judge } from '../../chaos/fuzz/verdict.ts';
import { Random } from '../../chaos/random.ts';
import { isLinkName } from '../../src/host-state/names.ts';
import { OPTIONS } from '../../src/options.ts';

const NETWORK = 'a'.repeat(64);
const ENDPOINT = 'b'.repeat(64);
const OF_ENDPOINT = 'com.docker.network.endpoint';
const ref = { NetworkID: NETWORK, EndpointID: ENDPOINT };

type Request = readonly [method: string, body: object];

const network = (generic: object, more: object = {}): Request => [
  'NetworkDriver.CreateNetwork',
  {
    NetworkID: NETWORK,
    Options: { 'com.docker.network.generic': generic },
    IPv4Data: [{ AddressSpace: 'x', Pool: '198.18.1.0/24', Gateway: '198.18.1.1/24', ...more }],
    IPv6Data: [],
  },
];
const endpoint = (options: object, more: object = {}): Request => [
  'NetworkDriver.CreateEndpoint',
  { ...ref, Interface: { Address: '198.18.1.2/24', ...more }, Options: options },
];
const join = (sandbox: string, options: object = {}): Request => [
  'NetworkDriver.Join',
  { ...ref, SandboxKey: sandbox, Options: options },
];
const portMap = (hostIp: string) => ({
  'com.docker.network.portmap': [{ Proto: 6, Port: 80, HostIP: hostIp, HostPort: 8080, HostPortEnd: 8080 }],
});

/** Every string of a request that can come to anything, each in the request that is otherwise right. */
const PLACES: Readonly<Record<string, (text: string) => readonly Request[]>> = {
  ...Object.fromEntries(
    Object.keys(OPTIONS).map(name => [`option ${name}`, (text: string) => [network({ [name]: text })]]),
  ),
  "an option's name": text => [network({ [text]: 'true' })],
  pool: text => [network({}, { Pool: text })],
  gateway: text => [network({}, { Gateway: text })],
  'aux address': text => [network({ parent: 'eth0' }, { AuxAddresses: { host: text } })],
  'aux name': text => [network({ parent: 'eth0' }, { AuxAddresses: { [text]: '198.18.1.9' } })],
  'network id': text => [['NetworkDriver.CreateNetwork', { ...network({})[1], NetworkID: text }]],
  'endpoint id': text => [network({}), ['NetworkDriver.CreateEndpoint', { ...ref, EndpointID: text }]],
  address: text => [network({}), endpoint({}, { Address: text }), join('/run/docker/netns/aaaaaaaaaaaa')],
  mac: text => [network({}), endpoint({}, { MacAddress: text }), join('/run/docker/netns/aaaaaaaaaaaa')],
  ifname: text => [
    network({ attach: 'inside' }),
    endpoint({ [`${OF_ENDPOINT}.ifname`]: text }),
    join('/run/docker/netns/aaaaaaaaaaaa'),
  ],
  sysctls: text => [
    network({ attach: 'inside' }),
    endpoint({ [`${OF_ENDPOINT}.sysctls`]: text }),
    join('/run/docker/netns/aaaaaaaaaaaa'),
  ],
  'sysctl value': text => [
    network({ attach: 'inside' }),
    endpoint({ [`${OF_ENDPOINT}.sysctls`]: `net.ipv4.conf.IFNAME.log_martians=${text}` }),
    join('/run/docker/netns/aaaaaaaaaaaa'),
  ],
  sandbox: text => [network({ attach: 'inside' }), endpoint({}), join(text)],
  'host address': text => [
    network({}),
    endpoint({}),
    join('/run/docker/netns/aaaaaaaaaaaa', portMap(text)),
    ['NetworkDriver.ProgramExternalConnectivity', { ...ref, Options: portMap(text) }],
  ],
  'pool id': text => [['IpamDriver.RequestAddress', { PoolID: text, Address: '' }]],
  'address space': text => [['IpamDriver.RequestPool', { AddressSpace: text, Pool: '198.18.9.0/24' }]],
};

const nasty = new Nasty(new Random(1), 1);
const text = fc.oneof(
  fc.constantFrom(...Array.from({ length: 400 }, () => nasty.text())),
  fc.string({ maxLength: 20 }),
  // What is almost right.
  fc
    .tuple(
      fc.constantFrom('eth0', '198.18.1.7', '198.18.1.0/24', '02:42:0a:00:00:05', '/run/docker/netns/x'),
      fc.string({ maxLength: 4 }),
    )
    .map(([right, more]) => right + more),
);

describe('no string of a request reaches the kernel, a path, nft or the log unchecked', () => {
  let target: FakeTarget;
  beforeAll(async () => {
    target = await FakeTarget.open();
  });
  afterAll(async () => target?.[Symbol.asyncDispose]());

  const send = async ([method, body]: Request): Promise<void> => {
    const request = { path: `/${method}`, body: JSON.stringify(body), kind: 'valid' } as const;
    const answer = await target.send(request);
    if (answer === 'hang') throw new Error(`no answer to ${method}`);
    // Answered, or refused with a code and in words that a terminal can show.
    expect(['done', 'refused']).toContain(judge(answer, 'POST').kind);
    await target.follow(request, answer);
    await target.snapshot();
  };

  it.each(Object.entries(PLACES))('%s', async (_name, requests) => {
    const before = target.checkedStrings();
    await fc.assert(
      fc.asyncProperty(text, async value => {
        for (const request of requests(value)) await send(request);
        expect(target.defects()).toEqual([]);
        await send(['NetworkDriver.DeleteEndpoint', ref]);
        await send(['NetworkDriver.DeleteNetwork', { NetworkID: NETWORK }]);
      }),
      { numRuns: 40, seed: 1 },
    );
    expect(target.checkedStrings()).toBeGreaterThanOrEqual(before);
  });

  it('and much of it has come to the guard that looks for it', () => {
    expect(target.checkedStrings()).toBeGreaterThan(5_000);
  });
});

it('no name of a link means anything to a path, nft or a terminal', () => {
  fc.assert(
    fc.property(text, name => {
      if (isLinkName(name)) expect(name).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}$/);
    }),
  );
});
