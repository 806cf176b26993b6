import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stepsToAdd, stepsToDetach, stepsToRemove } from '../../src/driver/context.ts';
import { diff } from '../../src/host-state/diff.ts';
import { merge } from '../../src/host-state/merge.ts';
import { shimName } from '../../src/host-state/names.ts';
import { EMPTY } from '../../src/host-state/types.ts';
import type { Network } from '../../src/model.ts';
import { desiredEndpoint, desiredHost, desiredNetwork } from '../../src/modes/desired.ts';
import { HostModel } from '../host-state/host-model.ts';
import { endpoint, facts, macvlanNetwork, network, SUBNET4, SUBNET6 } from './samples.ts';

const FOREIGN = ['eth0', 'br-lan'];
const FACTS = facts([
  ...facts().parents.values(),
  { name: 'br-lan', mtu: 1500, addresses4: [], addresses6: [] },
]);

const LAN6 = { pool: '2001:db8::/64', aux: {} };
const bases: fc.Arbitrary<Network['base']> = fc.constantFrom(
  { kind: 'own', link: 'tsb1', type: 'bridge' },
  { kind: 'foreign', link: 'br-lan', type: 'bridge' },
);
const networks: fc.Arbitrary<Network> = fc
  .record({
    base: bases,
    own: fc.constantFrom('dummy', 'bridge', 'none'),
    bridged: fc.boolean(),
    internal: fc.boolean(),
    ipv6: fc.boolean(),
    flag: fc.boolean(),
    mtu: fc.constantFrom(0, 1400),
    aux: fc.constantFrom({}, { host: '198.18.0.223' }),
  })
  .map(({ base, own, bridged, internal, ipv6, flag, mtu, aux }) => {
    if (bridged) {
      const subnets6 = ipv6 ? [SUBNET6] : [];
      return network({ base, internal, ipv6, subnets6, options: { icc: flag, masquerade: !flag, mtu } });
    }
    return macvlanNetwork({
      ipv6,
      subnets4: [{ pool: '198.18.0.0/24', aux }],
      subnets6: ipv6 ? [LAN6] : [],
      options: { mtu, shim: own === 'none' && flag },
      ...(own === 'none' ? {} : { base: { kind: 'own', link: 'tsd1', type: own } }),
    });
  });

const endpointsOf = (of: Network, count: number) =>
  Array.from({ length: count }, (_, index) => {
    const { address4, address6, ...rest } = endpoint(of, { id: String(index).repeat(64) });
    return {
      ...rest,
      ...(address4 === undefined ? {} : { address4: address4.replace('.16/', `.${20 + index}/`) }),
      ...(address6 === undefined ? {} : { address6: address6.replace('::10/', `::${20 + index}/`) }),
    };
  });

const run = (model: HostModel, steps: ReturnType<typeof diff>) => {
  for (const step of steps) model.step(step);
  return model;
};

describe('the share of an endpoint', () => {
  it('can be added to its network and taken away again without a trace', () => {
    fc.assert(
      fc.property(networks, fc.integer({ min: 1, max: 4 }), (of, count) => {
        const model = run(new HostModel(EMPTY, FOREIGN), stepsToAdd(of, FACTS));
        const before = model.state();
        const endpoints = endpointsOf(of, count);
        for (const on of endpoints) run(model, stepsToAdd(of, FACTS, on));
        expect(
          diff(
            desiredHost([of], () => endpoints, FACTS),
            model.state(),
          ),
        ).toEqual([]);
        for (const on of endpoints) run(model, stepsToDetach(of, on, FACTS));
        expect(model.state()).toEqual(before);
      }),
    );
  });

  it('is nothing before Join, nor once its removal or that of its network has begun', () => {
    for (const of of [network(), macvlanNetwork()]) {
      expect(desiredEndpoint(of, endpoint(of), FACTS)).not.toEqual(EMPTY);
      expect(desiredEndpoint(of, endpoint(of, { joined: false }), FACTS)).toEqual(EMPTY);
      expect(desiredEndpoint(of, endpoint(of, { lifecycle: 'deleting' }), FACTS)).toEqual(EMPTY);
      expect(desiredEndpoint({ ...of, lifecycle: 'deleting' }, endpoint(of), FACTS)).toEqual(EMPTY);
      expect(desiredNetwork({ ...of, lifecycle: 'deleting' }, FACTS)).toEqual(EMPTY);
    }
  });
});

describe('a network', () => {
  it('goes with whatever endpoints are left in it, sysctls of the host apart', () => {
    fc.assert(
      fc.property(networks, fc.nat(3), (of, count) => {
        const model = run(new HostModel(EMPTY, FOREIGN), stepsToAdd(of, FACTS));
        const endpoints = endpointsOf(of, count);
        for (const on of endpoints) run(model, stepsToAdd(of, FACTS, on));
        run(model, stepsToRemove({ network: of, endpoints }, [], FACTS));
        const { sysctls, firewallIntact: _intact, ...rest } = model.state();
        expect({ ...rest, sysctls: [] }).toEqual(EMPTY);
        for (const { path } of sysctls) expect(path).toMatch(/ip_forward$|all\/forwarding$/);
      }),
    );
  });
});

describe('two networks on one parent', () => {
  const one = macvlanNetwork({ ipv6: true, subnets6: [LAN6] });
  const two = macvlanNetwork({
    id: 'b'.repeat(64),
    subnets4: [{ ...SUBNET4, aux: { host: '198.18.1.223' } }],
  });
  const guests = [one, two].map((of, index) => endpoint(of, { id: `${index}`.repeat(64) }));
  const shim = shimName('eth0');

  it('share one shim', () => {
    const both = merge([desiredNetwork(one, FACTS), desiredNetwork(two, FACTS)]);
    expect(both.links.map(link => link.name)).toEqual([shim]);
  });

  it.each([
    ['first', one, two, guests[0], guests[1]],
    ['second', two, one, guests[1], guests[0]],
  ] as const)(
    'keep it when the %s goes, with all that the other needs',
    (_which, gone, left, mine, theirs) => {
      if (mine === undefined || theirs === undefined) throw new Error('no guests');
      const model = new HostModel(EMPTY, FOREIGN, { strict: false });
      for (const of of [gone, left]) run(model, stepsToAdd(of, FACTS));
      run(model, stepsToAdd(gone, FACTS, mine));
      run(model, stepsToAdd(left, FACTS, theirs));
      run(
        model,
        stepsToRemove({ network: gone, endpoints: [mine] }, [{ network: left, endpoints: [theirs] }], FACTS),
      );
      expect(
        diff(
          desiredHost([left], () => [theirs], FACTS),
          model.state(),
        ),
      ).toEqual([]);
      expect(model.links.has(shim)).toBe(true);
      run(model, stepsToRemove({ network: left, endpoints: [theirs] }, [], FACTS));
      expect(model.links.size).toBe(0);
    },
  );
});

describe('two networks on one foreign bridge', () => {
  it('keep the rule of the bridge until the last is gone', () => {
    const base = { kind: 'foreign', link: 'br-lan', type: 'bridge' } as const;
    const [one, two] = [network({ base }), network({ base, id: 'b'.repeat(64) })];
    expect(stepsToRemove({ network: one, endpoints: [] }, [{ network: two, endpoints: [] }], FACTS)).toEqual(
      [],
    );
    expect(stepsToRemove({ network: two, endpoints: [] }, [], FACTS)).toEqual([
      { op: 'firewall', add: [], delete: [{ set: 'same_bridge', key: ['br-lan', 'br-lan'] }] },
    ]);
  });
});
