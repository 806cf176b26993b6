import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EngineNetwork, EngineSubnet } from '../../src/engine/listing.ts';
import type { Endpoint, Network } from '../../src/model.ts';
import { type Listed, missing, type Own, toAsk } from '../../src/orphans/missing.ts';
import type { StoredLease, StoredPool } from '../../src/store/types.ts';

const POOL = '198.18.0.0/24';
const lease = (address: string, holder?: string, pool = POOL): StoredLease => ({
  space: 'tsnet-local',
  pool,
  address,
  epoch: 1,
  ...(holder === undefined ? {} : { holder }),
});
const pool = (subPool?: string, cidr = POOL): StoredPool => ({
  id: ['tsnet-local', cidr, ...(subPool === undefined ? [] : [subPool])].join('/'),
  space: 'tsnet-local',
  pool: cidr,
  cursor: '0',
  epoch: 1,
  ...(subPool === undefined ? {} : { subPool }),
});
const network = (id: string) => ({ id, subnets4: [], subnets6: [] }) as unknown as Network;
const endpoint = (networkId: string, id: string, sandbox?: string) =>
  ({ id, networkId, joined: sandbox !== undefined, sandbox }) as unknown as Endpoint;
const listedNetwork = (id: string, ipam = 'tsnet', ...subnets: Partial<EngineSubnet>[]): EngineNetwork => ({
  id,
  ipam,
  subnets: subnets.map(subnet => ({ subnet: POOL, reserved: [], ...subnet })),
});

const own = (parts: Partial<Own>): Own => ({
  networks: [],
  endpointsOf: () => [],
  pools: [],
  leases: [],
  ...parts,
});
const listed = (networks: EngineNetwork[], endpoints: Record<string, [string, string][]> = {}): Listed => ({
  networks,
  endpoints: new Map(
    Object.entries(endpoints).map(([id, all]) => [id, all.map(([e, a]) => ({ id: e, addresses: [a] }))]),
  ),
});
const names = (o: Own, l: Listed, there: string[] = []) =>
  missing(o, l, path => there.includes(path)).map(
    ({ thing, kept }) => thing + (kept ? ` kept: ${kept}` : ''),
  );

describe('a network', () => {
  it('is missing when the engine does not list it', () => {
    const state = own({ networks: [network('a'), network('b')] });
    expect(names(state, listed([listedNetwork('a', 'default')]))).toEqual(['network b']);
  });

  it('is kept while the sandbox of a container on it is there', () => {
    const endpoints = [endpoint('a', 'e1', '/ns/1'), endpoint('a', 'e2', '/ns/2'), endpoint('a', 'e3')];
    const state = own({ networks: [network('a')], endpointsOf: () => endpoints });
    expect(names(state, listed([]), ['/ns/2'])).toEqual(['network a kept: a container is on it']);
    expect(names(state, listed([]), ['/ns/1', '/ns/2'])).toEqual(['network a kept: 2 containers are on it']);
    expect(names(state, listed([]))).toEqual(['network a']);
  });
});

describe('an endpoint', () => {
  it('is missing when its network is listed and it is not, whatever becomes of its sandbox', () => {
    const state = own({
      networks: [network('a')],
      endpointsOf: () => [endpoint('a', 'e1', '/ns/1'), endpoint('a', 'e2', '/ns/2'), endpoint('a', 'e3')],
    });
    const answer = listed([listedNetwork('a')], { a: [['e1', '198.18.0.2']] });
    expect(names(state, answer, ['/ns/1', '/ns/2'])).toEqual(['endpoint e2', 'endpoint e3']);
  });
});

describe('a pool', () => {
  it('is missing when no network of a foreign IPAM has its subnet with its range', () => {
    const pools = [pool(), pool('198.18.0.64/26'), pool(undefined, '198.19.0.0/24')];
    const nets = [
      listedNetwork('a', 'tsnet-plugin:latest', {}),
      listedNetwork('b', 'default', { subnet: '198.19.0.0/24' }),
      listedNetwork('c', 'tsnet', { range: '198.18.0.128/26' }),
    ];
    expect(names(own({ pools }), listed(nets))).toEqual([
      'pool tsnet-local/198.18.0.0/24/198.18.0.64/26',
      'pool tsnet-local/198.19.0.0/24',
    ]);
  });
});

describe('an address', () => {
  it('is held by an endpoint, or set aside, or missing', () => {
    const leases = ['198.18.0.2', '198.18.0.3', '198.18.0.9', '198.18.0.10'].map(address => lease(address));
    const nets = [listedNetwork('a', 'tsnet', { reserved: ['198.18.0.9'] })];
    const answer = listed(nets, { a: [['e1', '198.18.0.2']] });
    expect(names(own({ leases }), answer)).toEqual([
      'address 198.18.0.3 of tsnet-local/198.18.0.0/24',
      'address 198.18.0.10 of tsnet-local/198.18.0.0/24',
    ]);
  });

  it('that is a gateway may go unlisted, but for more networks than there are on the subnet', () => {
    const state = own({ leases: [lease('198.18.0.1', 'gateway of 2 networks')] });
    const gateway = ['address 198.18.0.1 of tsnet-local/198.18.0.0/24'];
    expect(names(state, listed([listedNetwork('a', 'tsnet', {}), listedNetwork('b', 'tsnet', {})]))).toEqual(
      [],
    );
    expect(names(state, listed([listedNetwork('a', 'tsnet', {})]))).toEqual(gateway);
    expect(names(state, listed([listedNetwork('a', 'default', {})]))).toEqual(gateway);
  });

  it('of a subnet that no network has is missing, though another network has the same address', () => {
    const state = own({ networks: [network('b')], leases: [lease('198.18.0.2')] });
    const answer = listed([listedNetwork('b', 'default', {})], { b: [['e1', '198.18.0.2']] });
    expect(names(state, answer)).toEqual(['address 198.18.0.2 of tsnet-local/198.18.0.0/24']);
  });

  it('of a task is held, though a manager lists the network of its swarm without the subnet of the node', () => {
    const id = 'pu8t6oylvjech7223filf0vjt';
    const nets = [listedNetwork('config-only', 'tsnet', {}), listedNetwork(id, 'default')];
    const state = own({ leases: [lease('198.18.0.2')] });
    expect(toAsk(state, nets)).toEqual(['config-only', id]);
    expect(names(state, listed(nets, { 'config-only': [], [id]: [['e1', '198.18.0.2']] }))).toEqual([]);
  });
});

describe('the engine is asked for the endpoints', () => {
  it('of networks that have any here, or whose addresses are given out here, and of no others', () => {
    const nets = ['a', 'b', 'c'].map(id => listedNetwork(id, 'default', {}));
    const state = own({
      networks: [network('a'), network('b'), network('gone')],
      endpointsOf: id => (id === 'b' ? [] : [endpoint(id, 'e')]),
    });
    expect(toAsk(state, nets)).toEqual(['a']);
    const bridges = [
      listedNetwork('d', 'tsnet', {}),
      listedNetwork('e', 'tsnet', { subnet: '198.19.0.0/24' }),
    ];
    expect(toAsk(own({ leases: [lease('198.18.0.2')] }), bridges)).toEqual(['d']);
    expect(toAsk(own({ leases: [lease('198.18.0.1', 'gateway of 1 network')] }), bridges)).toEqual([]);
  });
});

it('finds what the engine lacks and nothing else, whatever the two have', () => {
  const ids = fc.uniqueArray(fc.integer({ min: 0, max: 15 }), { maxLength: 10 });
  fc.assert(
    fc.property(ids, ids, ids, ids, (ownNets, engineNets, ownEnds, engineEnds) => {
      const state = own({
        networks: ownNets.map(n => network(`n${n}`)),
        endpointsOf: id => (id === 'n0' ? ownEnds.map(e => endpoint(id, `e${e}`)) : []),
        pools: ownNets.map(n => pool(undefined, `198.18.${n}.0/24`)),
        leases: ownEnds.map(e => lease(`198.18.0.${e}`)),
      });
      const nets = engineNets.map(n => listedNetwork(`n${n}`, 'tsnet', { subnet: `198.18.${n}.0/24` }));
      const ends = engineEnds.map((e): [string, string] => [`e${e}`, `198.18.0.${e}`]);
      const answer = listed(nets, engineNets.includes(0) ? { n0: ends } : {});
      const lost = ownNets.filter(n => !engineNets.includes(n));
      const has0 = engineNets.includes(0);
      const lostEnds = ownEnds.filter(e => !engineEnds.includes(e));
      expect(new Set(names(state, answer))).toEqual(
        new Set([
          ...lost.flatMap(n => [`network n${n}`, `pool tsnet-local/198.18.${n}.0/24`]),
          ...(ownNets.includes(0) && has0 ? lostEnds.map(e => `endpoint e${e}`) : []),
          ...(has0 ? lostEnds : ownEnds).map(e => `address 198.18.0.${e} of tsnet-local/198.18.0.0/24`),
        ]),
      );
    }),
  );
});
