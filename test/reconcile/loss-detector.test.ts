import { describe, expect, it } from 'vitest';
import { ROUTE_PROTOCOL } from '../../src/host-state/mark.ts';
import { EMPTY, type HostState } from '../../src/host-state/types.ts';
import type { LinkInfo } from '../../src/kernel/link-info.ts';
import type { KernelEvent } from '../../src/kernel/monitor-event.ts';
import { Expectations } from '../../src/reconcile/expectations.ts';
import { LossDetector } from '../../src/reconcile/loss-detector.ts';

const link = (index: number, name: string, more: Partial<LinkInfo> = {}): LinkInfo => ({
  index,
  name,
  mtu: 1500,
  up: true,
  carrier: true,
  loopback: false,
  ...more,
});

const SHIM = link(7, 'tss1', { kind: 'macvlan' });
const ETH0 = link(2, 'eth0', { mac: '02:11:22:33:44:55' });
const WLAN0 = link(3, 'wlan0');
const WANTED: HostState = {
  ...EMPTY,
  links: [
    {
      kind: 'macvlan',
      name: 'tss1',
      alias: 'tsnet:shim:eth0',
      parent: 'eth0',
      macvlanMode: 'bridge',
      up: true,
    },
    { kind: 'macvlan', name: 'tsc1', alias: 'tsnet:1:e', parent: 'eth0', macvlanMode: 'bridge', up: false },
  ],
  addresses: [{ link: 'tss1', address: '198.18.0.223/32' }],
  routes: [{ link: 'tss1', destination: '198.18.0.9/32' }],
  neighbours: [
    { link: 'tss1', address: '198.18.0.9', entry: { mac: '02:00:00:00:00:09' } },
    { link: 'tss1', address: '2001:db8::5', entry: 'proxy' },
  ],
};

const setUp = () => {
  const expectations = new Expectations();
  expectations.reset(WANTED);
  const detector = new LossDetector(expectations, () => new Set(['eth0']));
  detector.learn([SHIM, ETH0, WLAN0]);
  return { detector, expectations };
};

const ofLink = (change: 'set' | 'removed', info: LinkInfo): KernelEvent => ({
  kind: 'link',
  change,
  link: info,
});
const ofAddress = (change: 'set' | 'removed', linkIndex: number, address: string): KernelEvent => ({
  kind: 'address',
  change,
  address: { linkIndex, address, scope: 0, flags: 0, protocol: 0 },
});
const ofRoute = (
  change: 'set' | 'removed',
  destination: string,
  more: { linkIndex?: number; protocol?: number } = { linkIndex: 7 },
): KernelEvent => ({
  kind: 'route',
  change,
  route: { destination, table: 254, scope: 253, protocol: ROUTE_PROTOCOL, ...more },
});
const ofNeighbour = (
  change: 'set' | 'removed',
  address: string,
  proxy = false,
  linkIndex = 7,
): KernelEvent => ({
  kind: 'neighbour',
  change,
  neighbour: { linkIndex, address, state: 0x80, proxy },
});

describe('a link that is being made', () => {
  it('is no loss where it is told of, as down, when it is expected to be up already', () => {
    const { detector } = setUp();
    detector.lossIn(ofLink('removed', SHIM));
    const anew = { ...SHIM, index: 8 };
    expect(detector.lossIn(ofLink('set', { ...anew, up: false }))).toBeUndefined();
    expect(detector.lossIn(ofLink('set', anew))).toBeUndefined();
    expect(detector.lossIn(ofLink('set', { ...anew, up: false }))).toBe('link tss1 down');
  });
});

describe('a port of a bridge', () => {
  const port = { ...SHIM, master: 5 };
  it.each([
    ['is lost when it is taken off', SHIM],
    ['is lost when it is put on another one', { ...SHIM, master: 6 }],
  ])('%s', (_what, after) => {
    const { detector } = setUp();
    expect(detector.lossIn(ofLink('set', port))).toBeUndefined();
    expect(detector.lossIn(ofLink('set', port))).toBeUndefined();
    expect(detector.lossIn(ofLink('set', after))).toBe('link tss1 taken off its bridge');
  });

  it('is no loss where it is no concern', () => {
    const { detector } = setUp();
    detector.lossIn(ofLink('set', { ...WLAN0, master: 5 }));
    expect(detector.lossIn(ofLink('set', WLAN0))).toBeUndefined();
  });
});

describe('a loss', () => {
  it.each([
    ['events were lost', { kind: 'overrun' }],
    ['link tss1 removed', ofLink('removed', SHIM)],
    ['link tss1 down', ofLink('set', { ...SHIM, up: false })],
    ['address tss1 198.18.0.223/32 removed', ofAddress('removed', 7, '198.18.0.223/32')],
    ['route tss1 198.18.0.9/32 removed', ofRoute('removed', '198.18.0.9/32')],
    ['neighbour tss1 198.18.0.9 entry removed', ofNeighbour('removed', '198.18.0.9')],
    ['link eth0 changed', ofLink('removed', ETH0)],
    ['link eth0 changed', ofLink('set', { ...ETH0, up: false })],
    ['link eth0 changed', ofLink('set', { ...ETH0, carrier: false })],
    ['link eth0 changed', ofLink('set', { ...ETH0, mtu: 1400 })],
    ['link eth0 changed', ofLink('set', { ...ETH0, mac: '02:11:22:33:44:56' })],
    ['link eth0 changed', ofLink('set', { ...ETH0, master: 9 })],
    ['link eth0 changed', ofLink('set', { ...ETH0, index: 12 })],
    ['address eth0 198.18.0.5/24 removed', ofAddress('removed', 2, '198.18.0.5/24')],
    ['address eth0 198.18.0.6/24 set', ofAddress('set', 2, '198.18.0.6/24')],
    ['bridge docker0 of the engine added', ofLink('set', link(9, 'docker0', { kind: 'bridge' }))],
    ['bridge docker0 of the engine removed', ofLink('removed', link(9, 'docker0', { kind: 'bridge' }))],
  ] as const)('%s', (words, event) => {
    expect(setUp().detector.lossIn(event)).toBe(words);
  });

  // `ip link set tss1 name x`: the kernel tells it as a change of the link with that index.
  it.each([
    ['an expected link', SHIM],
    ['a parent', ETH0],
  ])('is the new name of %s', (_what, info) => {
    const renamed = ofLink('set', { ...info, name: 'renamed' });
    expect(setUp().detector.lossIn(renamed)).toEqual(expect.stringContaining(info.name));
  });
});

describe('no loss', () => {
  it.each([
    ['an expected link as it should be', ofLink('set', SHIM)],
    ['an expected link without carrier', ofLink('set', { ...SHIM, carrier: false })],
    ['the going of a link into its container', ofLink('removed', link(8, 'tsc1', { kind: 'macvlan' }))],
    ['a parent as it was', ofLink('set', ETH0)],
    ['a link that is no concern', ofLink('removed', WLAN0)],
    ['a link that is no concern, down', ofLink('set', { ...WLAN0, up: false })],
    ['an address of a link that is no concern', ofAddress('removed', 3, '198.18.9.9/24')],
    ['an address that is not expected', ofAddress('removed', 7, '198.18.9.9/24')],
    ['an address that comes', ofAddress('set', 7, '198.18.0.223/32')],
    ['an address of an unknown link', ofAddress('removed', 99, '198.18.0.223/32')],
    ['a route that comes', ofRoute('set', '198.18.0.9/32')],
    ['a route that is not expected', ofRoute('removed', '198.18.0.10/32')],
    ["somebody else's route", ofRoute('removed', '198.18.0.9/32', { linkIndex: 7, protocol: 4 })],
    ['a route out of no link', ofRoute('removed', '198.18.0.9/32', {})],
    ['a neighbour that comes', ofNeighbour('set', '198.18.0.9')],
    // The kernel announces none of these; what it would mean is not known.
    ['a proxy entry', ofNeighbour('removed', '2001:db8::5', true)],
    ['an entry where a proxy is expected', ofNeighbour('removed', '2001:db8::5')],
    ['a neighbour on another link', ofNeighbour('removed', '198.18.0.9', false, 3)],
  ])('is %s', (_what, event) => {
    expect(setUp().detector.lossIn(event)).toBeUndefined();
  });

  it('is what tsnet takes away itself, for it is no longer expected then', () => {
    const { detector, expectations } = setUp();
    expectations.reset(EMPTY);
    for (const event of [
      ofAddress('removed', 7, '198.18.0.223/32'),
      ofRoute('removed', '198.18.0.9/32'),
      ofNeighbour('removed', '198.18.0.9'),
      ofLink('removed', SHIM),
    ])
      expect(detector.lossIn(event)).toBeUndefined();
  });

  it('is a change of a parent told twice', () => {
    const { detector } = setUp();
    const event = ofLink('set', { ...ETH0, mtu: 1400 });
    expect(detector.lossIn(event)).toBe('link eth0 changed');
    expect(detector.lossIn(event)).toBeUndefined();
  });

  it('is an engine bridge that is known', () => {
    const { detector } = setUp();
    const event = ofLink('set', link(9, 'docker0', { kind: 'bridge' }));
    expect(detector.lossIn(event)).toBeDefined();
    expect(detector.lossIn(event)).toBeUndefined();
  });
});

describe('names', () => {
  it('are learned from events: what is on a new link is known by its index', () => {
    const { detector } = setUp();
    detector.lossIn(ofLink('removed', SHIM));
    expect(detector.lossIn(ofRoute('removed', '198.18.0.9/32'))).toBeUndefined();
    detector.lossIn(ofLink('set', { ...SHIM, index: 70 }));
    expect(detector.lossIn(ofRoute('removed', '198.18.0.9/32', { linkIndex: 70 }))).toBe(
      'route tss1 198.18.0.9/32 removed',
    );
  });
});
