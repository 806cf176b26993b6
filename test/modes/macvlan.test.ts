import { describe, expect, it } from 'vitest';
import { endpointMark, networkMark } from '../../src/host-state/mark.ts';
import { containerLinkName, shimName } from '../../src/host-state/names.ts';
import { EMPTY } from '../../src/host-state/types.ts';
import { macvlan } from '../../src/modes/macvlan.ts';
import { endpoint, facts, macvlanNetwork, SUBNET4 } from './samples.ts';

const names = (state: { links: readonly { name: string }[] }) => state.links.map(link => link.name);
const own = (type: 'dummy' | 'bridge') =>
  macvlanNetwork({
    options: { shim: false },
    subnets4: [SUBNET4],
    base: { kind: 'own', link: 'tsd1', type },
  });

describe('a macvlan network on a parent', () => {
  it('needs the shim, and nothing of the parent itself', () => {
    expect(names(macvlan.network(macvlanNetwork(), facts()))).toEqual([shimName('eth0')]);
  });

  it('without a shim needs nothing', () => {
    expect(macvlan.network(macvlanNetwork({ options: { shim: false } }), facts())).toEqual(EMPTY);
  });

  it('needs nothing while its parent is missing', () => {
    const of = macvlanNetwork();
    expect(macvlan.network(of, facts([]))).toEqual(EMPTY);
    expect(macvlan.endpoint(of, endpoint(of), facts([]))).toEqual(EMPTY);
  });
});

describe('an isolated macvlan network', () => {
  it.each(['dummy', 'bridge'] as const)('has a %s of its own as parent', kind => {
    expect(macvlan.network(own(kind), facts([]))).toEqual({
      ...EMPTY,
      links: [{ kind, name: 'tsd1', alias: networkMark(own(kind).id), up: true, noLinkLocal: true }],
    });
  });

  it('tells its containers no gateway', () => {
    expect(macvlan.join(own('dummy'), endpoint(own('dummy')))).not.toHaveProperty('gateway4');
  });
});

describe('an endpoint on a macvlan network', () => {
  it.each(['bridge', 'private', 'vepa', 'passthru'] as const)(
    'is a link of mode %s that waits to be moved, down',
    macvlanMode => {
      const of = macvlanNetwork({ options: { shim: false, macvlanMode, mtu: 1400 } });
      const on = endpoint(of);
      expect(macvlan.endpoint(of, on, facts())).toEqual({
        ...EMPTY,
        links: [
          {
            kind: 'macvlan',
            name: containerLinkName(on.id),
            alias: endpointMark(of.id, on.id),
            parent: 'eth0',
            macvlanMode,
            mac: on.mac,
            up: false,
            mtu: 1400,
          },
        ],
      });
    },
  );

  it('has its way through the shim', () => {
    const of = macvlanNetwork();
    const state = macvlan.endpoint(of, endpoint(of), facts());
    expect(names(state)).toEqual([containerLinkName(endpoint(of).id)]);
    expect(state.routes).toEqual([
      { link: shimName('eth0'), destination: '198.18.0.16/32', source: '198.18.0.5' },
    ]);
    expect(state.neighbours).toEqual([
      { link: shimName('eth0'), address: '198.18.0.16', entry: { mac: endpoint(of).mac } },
    ]);
  });

  it("is told the LAN's gateway, where the user named one", () => {
    const of = macvlanNetwork();
    expect(macvlan.join(of, endpoint(of))).toEqual({
      interfaceName: { srcName: containerLinkName(endpoint(of).id), dstPrefix: 'eth' },
      gateway4: '198.18.0.1',
      staticRoutes: [],
      disableGatewayService: true,
    });
    const without = macvlanNetwork({ subnets4: [{ pool: '198.18.0.0/24', aux: {} }] });
    expect(macvlan.join(without, endpoint(without))).not.toHaveProperty('gateway4');
  });
});
