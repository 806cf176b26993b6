import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endpointMark } from '../../src/host-state/mark.ts';
import { containerLinkName, portName } from '../../src/host-state/names.ts';
import { EMPTY } from '../../src/host-state/types.ts';
import { bridge } from '../../src/modes/bridge.ts';
import { insideState, interfaceName, placeOf } from '../../src/modes/inside.ts';
import { macvlan } from '../../src/modes/macvlan.ts';
import { endpoint, facts, macvlanNetwork, network, SUBNET6 } from './samples.ts';

const PLACE = { sandbox: '/run/docker/netns/1', name: 'eth100' };
const INSIDE = { sandbox: PLACE.sandbox, inside: PLACE.name };
const dual = network({ subnets6: [SUBNET6], ipv6: true });
const MODES = [
  { name: 'bridge', mode: bridge, of: dual },
  { name: 'macvlan', mode: macvlan, of: macvlanNetwork({ subnets6: [SUBNET6], ipv6: true }) },
] as const;

describe('the place of an interface', () => {
  it('is its name in the sandbox, where tsnet makes it', () => {
    expect(placeOf(endpoint(dual, INSIDE))).toEqual(PLACE);
  });

  it.each([
    ['where the engine moves it', { sandbox: PLACE.sandbox }],
    ['before Join', {}],
    ['without a sandbox', { inside: 'eth100' }],
  ])('is none %s', (_, changes) => {
    const one = endpoint(dual, changes);
    expect(placeOf(one)).toBeUndefined();
    expect(insideState(dual, one, { alias: 'tsnet:x' })).toEqual(EMPTY);
  });
});

describe('the settings of an interface inside', () => {
  it('are those of the endpoint, and how often its neighbours are told', () => {
    const of = network({
      subnets6: [SUBNET6],
      options: { announceCount: 7, announceMs: 250 },
    });
    const one = endpoint(of, { ...INSIDE, sysctls: 'net.ipv4.conf.IFNAME.log_martians=1' });
    expect(insideState(of, one, { port: 'tsv1' })).toEqual({
      ...EMPTY,
      ends: [
        {
          ...PLACE,
          port: 'tsv1',
          mac: one.mac,
          addresses: ['198.18.1.16/24', '2001:db8:1::10/64'],
          sysctls: [{ path: 'net/ipv4/conf/eth100/log_martians', value: '1' }],
          announce: { count: 7, intervalMs: 250 },
        },
      ],
    });
  });

  it('have the addresses that there are', () => {
    const { address4: _address4, ...only6 } = endpoint(dual, INSIDE);
    const { address6: _address6, ...only4 } = endpoint(dual, INSIDE);
    const { address6: __, ...none } = only6;
    const addresses = [only6, only4, none].map(one => insideState(dual, one, {}).ends[0]?.addresses);
    expect(addresses).toEqual([['2001:db8:1::10/64'], ['198.18.1.16/24'], []]);
  });
});

describe.each(MODES)('an endpoint inside, of mode $name', ({ mode, of }) => {
  const inside = mode.endpoint(of, endpoint(of, INSIDE), facts());
  const moved = mode.endpoint(of, endpoint(of, { sandbox: PLACE.sandbox }), facts());

  it('differs in the place of its link, the name of its peer and the end there, and in nothing else', () => {
    expect(inside).toEqual({
      ...moved,
      links: moved.links.map(link => ({
        ...link,
        place: PLACE,
        ...(link.kind === 'veth' ? { peer: { ...link.peer, name: PLACE.name } } : {}),
      })),
      ends: inside.ends,
    });
    expect(moved.ends).toEqual([]);
    expect(inside.ends).toMatchObject([PLACE]);
  });

  it('is found by its mark where it has no end on the host', () => {
    const one = endpoint(of);
    const [link] = inside.links;
    const [end] = inside.ends;
    expect(link?.name).toBe(link?.kind === 'veth' ? portName(one.id) : containerLinkName(one.id));
    expect(end?.alias).toBe(link?.kind === 'veth' ? undefined : endpointMark(of.id, one.id));
    expect(end?.madeAs).toBe(link?.kind === 'veth' ? undefined : link?.name);
  });

  it('is no link for the engine to move', () => {
    expect(mode.join(of, endpoint(of, INSIDE)).interfaceName).toEqual({ dstPrefix: 'eth' });
    expect(mode.join(of, endpoint(of, { sandbox: PLACE.sandbox })).interfaceName).toEqual({
      srcName: containerLinkName(endpoint(of).id),
      dstPrefix: 'eth',
    });
  });

  it('has the same gateways and routes in Join’s answer', () => {
    const { interfaceName: _, ...answer } = mode.join(of, endpoint(of, INSIDE));
    const { interfaceName: __, ...before } = mode.join(of, endpoint(of));
    expect(answer).toEqual(before);
  });
});

describe('the prefix in Join’s answer', () => {
  const prefix = (inside: string) =>
    interfaceName(dual, endpoint(dual, { ...INSIDE, inside }), 'tsc1').dstPrefix;

  it.each([
    ['eth100', 'eth'],
    ['vpn0', 'vpn'],
    ['vpn', 'vpn'],
    ['vpn0100', 'vpn'],
    ['v6lan', 'v6lan'],
    ['wan.5', 'wan.'],
    ['a1b2', 'a1b'],
  ])('of %s is %s', (name, wanted) => {
    expect(prefix(name)).toBe(wanted);
  });

  // Engines up to 27 that restart with live-restore: what follows the prefix must be a number, or nothing.
  it('leaves nothing of the name but a number, and is never empty', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.@-]{0,14}$/), name => {
        expect(prefix(name)).not.toBe('');
        expect(name.startsWith(prefix(name))).toBe(true);
        expect(name.slice(prefix(name).length)).toMatch(/^\d*$/);
        expect(prefix(name)).not.toMatch(/\d$/);
      }),
    );
  });

  it('is the network’s own, or the endpoint’s, where the engine moves the link', () => {
    const of = network({ options: { ifacePrefix: 'vpn0' } });
    expect(interfaceName(of, endpoint(of), 'tsc1')).toEqual({ srcName: 'tsc1', dstPrefix: 'vpn0' });
    const named = endpoint(of, { prefix: 'wan' });
    expect(interfaceName(of, named, 'tsc1')).toEqual({ srcName: 'tsc1', dstPrefix: 'wan' });
  });
});
