import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { addressesOn, createNetwork, expectNothingLeft, ownElements } from './support/bridge-lab.ts';
import { firewallElements, store } from './support/host-view.ts';
import { answers, startContainer } from './support/macvlan-lab.ts';
import { callPlugin } from './support/plugin-socket.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const NET = 'a'.repeat(64);
const ENDPOINT = 'b'.repeat(64);
const SWARM = 'pu8t6oylvjech7223filf0vjt';
const POOL = [{ AddressSpace: 'LocalDefault', Pool: '198.18.9.0/24', Gateway: '198.18.9.1/24' }];

const network = (generic: object = {}, more: object = {}) => ({
  NetworkID: NET,
  Options: { 'com.docker.network.generic': generic },
  IPv4Data: POOL,
  IPv6Data: [],
  ...more,
});
const pool = (text: unknown, gateway?: unknown) =>
  network({}, { IPv4Data: [{ Pool: text, Gateway: gateway }] });
const endpoint = (options: object = {}) => ({
  NetworkID: NET,
  EndpointID: ENDPOINT,
  Interface: { Address: '198.18.9.2/24', AddressIPv6: '', MacAddress: '' },
  Options: {},
  ...options,
});

/** Names that mean something to a shell, to nft, to the file system or to a terminal. */
const NASTY = [
  '$(touch /pwned)',
  '`touch /pwned`',
  'x;touch /pwned',
  '"; flush ruleset; "',
  'x" } ; add table inet pwned',
  'a b',
  'a\nb',
  '../../x',
  'a/b',
  'x'.repeat(16),
  'x'.repeat(4096),
  '-rf',
  '.',
  '..',
  'all',
  'default',
  '*',
  'br{0,1}',
  '\u001b[31m',
  'brücke',
  'a\u0000b',
];

describe.each(ENGINES)('bad input to the daemon beside engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    // so that the firewall table and the state file are there
    await createNetwork(host, 'first');
    await host.docker('network', 'rm', 'first');
  });
  afterEach(async () => {
    await expectNothingLeft(host);
    expect((await callPlugin(host, 'Plugin.Activate', '')).body).toEqual({
      Implements: ['NetworkDriver', 'IpamDriver'],
    });
    expect(host.log()).not.toMatch(/outcome=INTERNAL|unhandled:/);
  });
  afterAll(() => lab?.destroy());

  it.each([
    ['no JSON', '{"NetworkID":', 'BODY_INVALID'],
    ['nothing', '', 'BODY_EMPTY'],
    ['white space', ' \n ', 'BODY_EMPTY'],
    ['null', 'null', 'BODY_INVALID'],
    ['an array', '[]', 'BODY_INVALID'],
    ['a number', '1', 'BODY_INVALID'],
    ['no fields', '{}', 'BODY_INVALID'],
    ['no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'BODY_INVALID'],
    ['deep nesting', '['.repeat(200_000), 'BODY_INVALID'],
    ['a number as id', { ...network(), NetworkID: 7 }, 'BODY_INVALID'],
    ['a text as options', { ...network(), Options: 'x' }, 'BODY_INVALID'],
    ['a number as option', network({ mtu: 1400 }), 'BODY_INVALID'],
    ['an object as option', network({ parent: { name: 'eth0' } }), 'BODY_INVALID'],
    ['an object as pools', { ...network(), IPv4Data: {} }, 'BODY_INVALID'],
    ['a number as pool', pool(7), 'BODY_INVALID'],
    ['a text as flag', network({}, { Options: { 'com.docker.network.enable_ipv6': 'yes' } }), 'BODY_INVALID'],
  ])('refuses a network of %s', async (_, body, code) => {
    expect(await callPlugin(host, 'NetworkDriver.CreateNetwork', body)).toMatchObject({ status: 400, code });
  });

  it('refuses a body beyond 16 MB, and a compressed one', async () => {
    const large = Buffer.alloc(17 * 1024 * 1024, 0x20);
    expect(await callPlugin(host, 'NetworkDriver.CreateNetwork', large)).toMatchObject({
      status: 400,
      code: 'BODY_INVALID',
    });
    const zipped = ['-H', 'Content-Encoding: gzip'];
    expect(await callPlugin(host, 'NetworkDriver.CreateNetwork', network(), ...zipped)).toMatchObject({
      status: 400,
      code: 'BODY_INVALID',
    });
  });

  it.each([
    ['NetworkDriver.Nonsense', 'METHOD_UNKNOWN'],
    ['networkdriver.createnetwork/..', 'METHOD_UNKNOWN'],
    ['%2e%2e/etc/passwd', 'METHOD_UNKNOWN'],
    ['__proto__', 'METHOD_UNKNOWN'],
  ])('knows no method %s', async (method, code) => {
    expect(await callPlugin(host, method, {})).toMatchObject({ status: 404, code });
  });

  it.each([
    '',
    'a',
    'a'.repeat(63),
    'a'.repeat(65),
    'A'.repeat(64),
    `${'a'.repeat(63)}g`,
    `${'a'.repeat(63)}\n`,
    '../'.repeat(21).padEnd(64, 'a'),
    'P'.repeat(25),
    'a'.repeat(24),
    "a'; DROP TABLE network; --",
  ])('refuses the id %j', async id => {
    for (const method of ['CreateNetwork', 'DeleteNetwork']) {
      const answer = await callPlugin(host, `NetworkDriver.${method}`, { ...network(), NetworkID: id });
      expect(answer).toMatchObject({ status: 400, code: 'ID_INVALID' });
    }
    const answer = await callPlugin(host, 'NetworkDriver.Join', {
      NetworkID: NET,
      EndpointID: id,
      SandboxKey: '/var/run/docker/netns/x',
    });
    expect(answer).toMatchObject({ status: 400, code: 'ID_INVALID' });
  });

  it('refuses what is asked of unknown networks and endpoints, and lets them be taken away', async () => {
    const ref = { NetworkID: NET, EndpointID: ENDPOINT };
    const join = { ...ref, SandboxKey: '/var/run/docker/netns/x', Options: {} };
    const ask = async (method: string, body: object) =>
      (await callPlugin(host, `NetworkDriver.${method}`, body)).code;
    expect(await ask('CreateEndpoint', endpoint())).toBe('NETWORK_UNKNOWN');
    expect(await ask('Join', join)).toBe('NETWORK_UNKNOWN');
    for (const method of ['Leave', 'DeleteEndpoint', 'RevokeExternalConnectivity', 'EndpointOperInfo']) {
      expect(await ask(method, ref), method).toBeUndefined();
    }
    expect(await ask('DeleteNetwork', { NetworkID: NET })).toBeUndefined();

    expect(await ask('CreateNetwork', network())).toBeUndefined();
    expect(await ask('Join', join)).toBe('ENDPOINT_UNKNOWN');
    expect((await store(host)).endpoints).toEqual([]);
    expect(await ask('DeleteNetwork', { NetworkID: NET })).toBeUndefined();
  });

  it.each([
    ['198.18.9.0/33', undefined],
    ['198.18.9.0/-1', undefined],
    ['198.18.9.0/024', undefined],
    ['198.18.9.256/24', undefined],
    ['198.18.09.0/24', undefined],
    ['198.18.9/24', undefined],
    ['198.18.9.0', undefined],
    ['198.18.9.0/24/24', undefined],
    ['198.18.9.0/24 ', undefined],
    ['2001:db8::/64', undefined],
    ['::ffff:198.18.9.0/120', undefined],
    ['', undefined],
    ['$(id)/24', undefined],
    ['198.18.9.0/24', '198.18.10.1/24'],
    ['198.18.9.0/24', '2001:db8::1/64'],
    ['198.18.9.0/24', 'fe80::1%eth0/64'],
    ['198.18.9.0/24', '9'.repeat(5000)],
  ])('refuses the pool %j with the gateway %j', async (text, gateway) => {
    const answer = await callPlugin(host, 'NetworkDriver.CreateNetwork', pool(text, gateway));
    expect(answer).toMatchObject({ status: 400, code: 'ADDRESS_INVALID' });
    expect(String(answer.body['Err']).length).toBeLessThan(600);
  });

  it.each([
    [{ Interface: { Address: '198.18.10.2/24' } }, 'ADDRESS_INVALID'],
    [{ Interface: { Address: '198.18.9.2' } }, 'ADDRESS_INVALID'],
    [{ Interface: { AddressIPv6: '198.18.9.2/24' } }, 'ADDRESS_INVALID'],
    [{ Interface: { MacAddress: '01:00:5e:00:00:01' } }, 'MAC_INVALID'],
    [{ Interface: { MacAddress: '00:00:00:00:00:00' } }, 'MAC_INVALID'],
    [{ Interface: { MacAddress: '02:42:$(id)' } }, 'MAC_INVALID'],
    [{ Interface: 'eth0' }, 'BODY_INVALID'],
    [{ Options: { 'com.docker.network.portmap': [{ Proto: 6, Port: 70_000 }] } }, 'BODY_INVALID'],
    [{ Options: { 'com.docker.network.portmap': 'all' } }, 'BODY_INVALID'],
  ])('refuses an endpoint with %j', async (change, code) => {
    expect((await callPlugin(host, 'NetworkDriver.CreateNetwork', network())).body).toEqual({});
    const links = await host.links();
    const answer = await callPlugin(host, 'NetworkDriver.CreateEndpoint', endpoint(change));
    expect(answer).toMatchObject({ status: 400, code });
    expect((await store(host)).endpoints).toEqual([]);
    expect(await host.links()).toEqual(links);
    expect((await callPlugin(host, 'NetworkDriver.DeleteNetwork', { NetworkID: NET })).body).toEqual({});
  });

  it.each([
    'relative/path',
    '/var/run/../../etc/shadow',
    '',
    '/',
    `/${'x'.repeat(5000)}`,
    '/a\u0000b',
    '/a\nb',
  ])('refuses the sandbox %j', async sandbox => {
    await callPlugin(host, 'NetworkDriver.CreateNetwork', network());
    await callPlugin(host, 'NetworkDriver.CreateEndpoint', endpoint());
    const links = await host.links();
    const join = { NetworkID: NET, EndpointID: ENDPOINT, SandboxKey: sandbox, Options: {} };
    expect(await callPlugin(host, 'NetworkDriver.Join', join)).toMatchObject({
      status: 400,
      code: 'BODY_INVALID',
    });
    expect(await host.links()).toEqual(links);
    await callPlugin(host, 'NetworkDriver.DeleteEndpoint', { NetworkID: NET, EndpointID: ENDPOINT });
    await callPlugin(host, 'NetworkDriver.DeleteNetwork', { NetworkID: NET });
  });

  it.each(['parent', 'com.docker.network.bridge.name', 'com.docker.network.container_iface_prefix'])(
    'takes no name for %s that means something elsewhere',
    async option => {
      const before = String((await host.host.exec('nft', ['list', 'tables'])).stdout);
      // a number follows the prefix, so that it may be one of the two directories beside those of links in /proc/sys
      const isHarmless = (name: string) => option.endsWith('prefix') && /^(all|default)$/.test(name);
      for (const name of NASTY.filter(each => !isHarmless(each))) {
        const answer = await callPlugin(host, 'NetworkDriver.CreateNetwork', network({ [option]: name }));
        expect(answer, JSON.stringify(name)).toMatchObject({ status: 400, code: 'OPTION_INVALID' });
        // nor does the answer have anything for the user's terminal in it
        expect(String(answer.body['Err']), JSON.stringify(name)).toMatch(/^\P{Cc}+$/u);
      }
      expect((await host.host.exec('test', ['-e', '/pwned'], { reject: false })).exitCode).toBe(1);
      expect(String((await host.host.exec('nft', ['list', 'tables'])).stdout)).toBe(before);
      expect(await firewallElements(host)).toBeDefined();
    },
  );

  it.each(['mode', 'macvlan_mode', 'com.docker.network.driver.mtu', 'shim'])(
    'takes no value for %s that is none of its own',
    async option => {
      for (const value of NASTY) {
        const answer = await callPlugin(host, 'NetworkDriver.CreateNetwork', network({ [option]: value }));
        expect(answer, JSON.stringify(value)).toMatchObject({ status: 400, code: 'OPTION_INVALID' });
      }
    },
  );

  it('makes networks and endpoints of ids as a swarm has them', async () => {
    const made = { ...network(), NetworkID: SWARM };
    expect((await callPlugin(host, 'NetworkDriver.CreateNetwork', made)).body).toEqual({});
    const [bridge] = await host.links();
    expect(bridge).toMatch(/^tsb[0-9a-f]{10}$/);
    expect(await addressesOn(host.host, String(bridge))).toEqual(['198.18.9.1/24']);
    // asked for again, for the first answer may be lost; and then for something else
    expect((await callPlugin(host, 'NetworkDriver.CreateNetwork', made)).body).toEqual({});
    const other = { ...made, Options: { 'com.docker.network.generic': { mtu: '1400' } } };
    expect(await callPlugin(host, 'NetworkDriver.CreateNetwork', other)).toMatchObject({
      status: 409,
      code: 'NETWORK_EXISTS',
    });
    const ref = { NetworkID: SWARM, EndpointID: ENDPOINT };
    const added = await callPlugin(host, 'NetworkDriver.CreateEndpoint', { ...endpoint(), ...ref });
    expect(added.body).toEqual({ Interface: { MacAddress: '02:42:c6:12:09:02' } });
    const join = { ...ref, SandboxKey: '/var/run/docker/netns/x', Options: {} };
    expect((await callPlugin(host, 'NetworkDriver.Join', join)).body).toMatchObject({
      InterfaceName: { DstPrefix: 'eth' },
      Gateway: '198.18.9.1',
    });
    expect(await host.links()).toHaveLength(2);
    expect(await ownElements(host)).toContain(`bridges ${bridge}`);
    for (const method of ['Leave', 'DeleteEndpoint', 'DeleteNetwork']) {
      expect((await callPlugin(host, `NetworkDriver.${method}`, ref)).body, method).toEqual({});
    }
  });

  it('serves the engine as before while it is sent nonsense', async () => {
    await createNetwork(host, 'web');
    const c1 = await startContainer(host, 'c1', 'web');
    await Promise.all(
      NASTY.map(text => callPlugin(host, 'NetworkDriver.CreateEndpoint', `${text}{"NetworkID":"${text}"}`)),
    );
    expect(await answers({ on: host, container: 'c1' }, '198.18.0.1')).toBe(true);
    expect(await answers(host.host, c1.address4)).toBe(true);
    await startContainer(host, 'c2', 'web');
    await host.docker('rm', '-f', 'c1', 'c2');
    await host.docker('network', 'rm', 'web');
  });
});
