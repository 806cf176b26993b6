import { describe, expect, test } from 'vitest';
import { renderTable } from '../../src/firewall/render.ts';
import type { FirewallElement, FirewallSet, Guard } from '../../src/host-state/types.ts';

/** `vitest run -u` rewrites them. The marker is a hash of the rest, so a change of the skeleton shows in all. */
const golden = (name: string): string => new URL(`golden/${name}.nft`, import.meta.url).pathname;

const of =
  (set: FirewallSet) =>
  (...key: string[]): FirewallElement => ({ set, key });
const map = (set: FirewallSet, key: string[], value: string[]): FirewallElement => ({ set, key, value });

const BRIDGE = 'tsb0123456789';
const SHIM = 'tss0123456789';
const own: FirewallElement[] = [
  of('bridges')(BRIDGE),
  of('same_bridge')(BRIDGE, BRIDGE),
  of('masquerade4')(BRIDGE),
  of('masquerade6')(BRIDGE),
  of('localnet')(BRIDGE),
];
const published: FirewallElement[] = [
  ...own,
  map('publish4', ['tcp', '8080'], ['198.18.1.2', '80']),
  map('publish6', ['tcp', '8080'], ['2001:db8:1::2', '80']),
];

const FEATURES: Readonly<Record<string, readonly FirewallElement[]>> = {
  empty: [],
  'two-bridges': [
    ...own,
    of('same_bridge')('br0', 'br0'),
    of('guest4')('br0', '198.18.0.2'),
    of('guest6')('br0', '2001:DB8:0::2'),
    of('guest_masquerade4')('br0', '198.18.0.2'),
    of('engine_bridges')('docker0'),
  ],
  internal: [of('bridges')(BRIDGE), of('same_bridge')(BRIDGE, BRIDGE), of('internal')(BRIDGE)],
  'no-icc': [...own, of('no_icc')(BRIDGE)],
  published,
  'published-on-one-address': [
    ...own,
    map('publish_at4', ['127.0.0.1', 'tcp', '8080'], ['198.18.1.2', '80']),
    map('publish_at4', ['198.18.50.1', 'sctp', '8080'], ['198.18.1.2', '80']),
    map('publish_at6', ['::1', 'udp', '53'], ['2001:db8:1::2', '53']),
  ],
  'published-through-a-shim': [
    of('shims')(SHIM),
    of('localnet')(SHIM),
    map('publish4', ['tcp', '8080'], ['198.18.50.11', '80']),
    map('published_source4', [SHIM, '198.18.50.11'], ['198.18.50.1']),
    map('published_source6', [SHIM, '2001:db8:50::11'], ['2001:db8:50::1']),
  ],
  'allow-from': [
    ...published,
    of('restricted4')('198.18.1.2'),
    of('allow_from4')('198.18.1.2', '198.18.50.0/24'),
    of('allow_from4')('198.18.1.2', '198.18.51.7/32'),
    // Restricted to clients of the other family: open to nobody.
    of('restricted6')('2001:db8:1::2'),
  ],
  'isolation-off': [...own, of('unisolated')(BRIDGE), of('unisolated')('tsb9876543210')],
  'nat-unprotected': [...own, of('unprotected4')(BRIDGE), of('unprotected6')(BRIDGE)],
  routed: [
    of('bridges')(BRIDGE),
    of('same_bridge')(BRIDGE, BRIDGE),
    of('routed4')(BRIDGE),
    of('routed6')(BRIDGE),
    of('open4')('198.18.1.2', 'tcp', '80'),
    of('open6')('2001:db8:1::2', 'tcp', '80'),
  ],
};

const GUARD: Guard = {
  rules: [
    { family: 4, action: 'allow', protocol: 'tcp', ports: [[8080, 8080]], source: '198.18.50.0/24' },
    {
      ...({ family: 4, action: 'deny', destination: '198.18.50.1/32', link: 'eth0' } as const),
      ports: [
        [53, 53],
        [8000, 8090],
        [8091, 8099],
      ],
      sourcePorts: [
        [1024, 2048],
        [4096, 4096],
      ],
    },
    { family: 6, action: 'allow', protocol: 'tcp', ports: [[22, 22]], limit: true },
    { family: 6, action: 'deny', source: '2001:db8:50::/64' },
  ],
  otherwise: { 4: 'deny', 6: 'allow' },
};

describe('the table of', () => {
  test.each(Object.entries(FEATURES))('%s', async (name, elements) => {
    await expect(renderTable(elements, undefined)).toMatchFileSnapshot(golden(name));
  });

  test('ports that the host judges', async () => {
    const judged = [...published, of('ufw4')('198.18.1.2'), of('ufw6')('2001:db8:1::2')];
    await expect(renderTable(judged, GUARD)).toMatchFileSnapshot(golden('ufw'));
  });
});
