import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/errors.ts';
import { BODY_LIMIT } from '../../src/protocol/body.ts';
import { ENDPOINT, NETWORK, setUp } from './fake.ts';
import { SAMPLES } from './samples.ts';

const refused = async (path: string, body: string | Buffer, headers: Record<string, string> = {}) => {
  const { app, drivers } = setUp();
  const response = await request(app).post(path).set(headers).send(body);
  expect(drivers.calls).toEqual([]);
  expect(response.body.Error).toBe(response.body.Err);
  const code = /^([A-Z_]+): /.exec(response.body.Err)?.[1] as keyof typeof ERRORS;
  expect(response.status).toBe(ERRORS[code].status);
  return { code, text: response.body.Err as string };
};

const paths = [...new Set(SAMPLES.map(sample => sample.path))];

describe.each(paths)('%s', path => {
  it.each([
    ['nothing', '', 'BODY_EMPTY'],
    ['blanks', ' \r\n\t', 'BODY_EMPTY'],
    ['null', 'null', 'BODY_INVALID'],
    ['an array', '[]', 'BODY_INVALID'],
    ['a number', '1', 'BODY_INVALID'],
    ['a string', '"x"', 'BODY_INVALID'],
    ['half of it', '{"NetworkID":"84', 'BODY_INVALID'],
    ['two of it', '{}{}', 'BODY_INVALID'],
  ])('refuses %s', async (_, body, code) => {
    expect((await refused(path, body)).code).toBe(code);
  });
});

describe('bodies', () => {
  const path = '/NetworkDriver.DeleteNetwork';

  it('refuses the empty repetition that the engine sends after a broken connection', async () => {
    const { code, text } = await refused(path, '', { 'Content-Length': '0' });
    expect(code).toBe('BODY_EMPTY');
    expect(text).toContain('Repeat the docker command');
  });

  it('refuses what is not UTF-8', async () => {
    const { code, text } = await refused(path, Buffer.from([0x7b, 0xff, 0x7d]));
    expect([code, text]).toEqual(['BODY_INVALID', expect.stringContaining('UTF-8')]);
  });

  it('refuses a huge one', async () => {
    const { code, text } = await refused(path, Buffer.alloc(BODY_LIMIT + 1, 0x20));
    expect([code, text]).toEqual(['BODY_INVALID', expect.stringContaining(String(BODY_LIMIT))]);
  });

  it('refuses a compressed one', async () => {
    const { code } = await refused(path, Buffer.from('x'), { 'Content-Encoding': 'gzip' });
    expect(code).toBe('BODY_INVALID');
  });

  it.each(['application/json', 'text/plain; charset=nonsense', 'x', 'multipart/form-data'])(
    'reads one of type %s',
    async type => {
      const { app } = setUp();
      const body = JSON.stringify({ NetworkID: NETWORK });
      const response = await request(app).post(path).set('Content-Type', type).send(body);
      expect(response.status).toBe(200);
    },
  );

  it('takes every port of a host published', async () => {
    const { app, drivers } = setUp();
    const port = (Port: number) => ({
      Proto: 6,
      IP: '',
      Port,
      HostIP: '',
      HostPort: Port,
      HostPortEnd: Port,
    });
    const ports = Array.from({ length: 65535 }, (_, index) => port(index + 1));
    const Options = {
      'com.docker.network.portmap': ports,
      'com.docker.network.endpoint.exposedports': ports,
    };
    const response = await request(app)
      .post('/NetworkDriver.ProgramExternalConnectivity')
      .send(JSON.stringify({ NetworkID: NETWORK, EndpointID: ENDPOINT, Options }));
    expect(response.status).toBe(200);
    expect(drivers.calls[0]?.args[0]).toHaveProperty('ports.length', 65535);
  });
});

describe('fields', () => {
  const network = {
    NetworkID: NETWORK,
    Options: {},
    IPv4Data: [{ Pool: '10.0.0.0/24' }],
    IPv6Data: [],
  };
  const endpoint = { NetworkID: NETWORK, EndpointID: ENDPOINT };
  const pool = { AddressSpace: 'tsnet-local' };
  const port = { Proto: 6, Port: 80, HostPort: 80, HostPortEnd: 80 };
  const published = (change: object) => ({
    ...endpoint,
    Options: { 'com.docker.network.portmap': [port, { ...port, ...change }] },
  });
  const create = '/NetworkDriver.CreateNetwork';
  const attach = '/NetworkDriver.CreateEndpoint';
  const join = '/NetworkDriver.Join';
  const program = '/NetworkDriver.ProgramExternalConnectivity';
  const ipam = '/IpamDriver.RequestPool';

  it.each<[string, string, object, string, string]>([
    ['a missing id', create, { ...network, NetworkID: undefined }, 'BODY_INVALID', 'NetworkID: '],
    ['an id of letters', create, { ...network, NetworkID: 'no' }, 'ID_INVALID', 'NetworkID: "no"'],
    ['an id in capitals', create, { ...network, NetworkID: 'A'.repeat(64) }, 'ID_INVALID', 'NetworkID'],
    ['an id with a newline', create, { ...network, NetworkID: `${NETWORK}\n` }, 'ID_INVALID', 'NetworkID'],
    ['a path as id', program, { ...endpoint, EndpointID: '../../etc' }, 'ID_INVALID', 'EndpointID'],
    [
      'a prefix of 33',
      create,
      { ...network, IPv4Data: [{ Pool: '10.0.0.0/33' }] },
      'ADDRESS_INVALID',
      'IPv4Data[0].Pool',
    ],
    [
      'a prefix of 129',
      create,
      { ...network, IPv6Data: [{ Pool: '::/129' }] },
      'ADDRESS_INVALID',
      'IPv6Data[0].Pool',
    ],
    [
      'a byte of 256',
      create,
      { ...network, IPv4Data: [{ Pool: '10.0.256.0/24' }] },
      'ADDRESS_INVALID',
      'IPv4Data[0].Pool',
    ],
    [
      'IPv6 as IPv4',
      create,
      { ...network, IPv4Data: [{ Pool: '2001:db8::/64' }] },
      'ADDRESS_INVALID',
      'IPv4Data[0].Pool',
    ],
    [
      'IPv4 as IPv6',
      create,
      { ...network, IPv6Data: [{ Pool: '10.0.0.0/24' }] },
      'ADDRESS_INVALID',
      'IPv6Data[0].Pool',
    ],
    ['a missing pool', create, { ...network, IPv4Data: [{}] }, 'BODY_INVALID', 'IPv4Data[0].Pool'],
    [
      'a bare gateway',
      create,
      { ...network, IPv4Data: [{ Pool: '10.0.0.0/24', Gateway: '10.0.0.1' }] },
      'ADDRESS_INVALID',
      'IPv4Data[0].Gateway',
    ],
    [
      'a bad aux address',
      create,
      { ...network, IPv4Data: [{ Pool: '10.0.0.0/24', AuxAddresses: { h: 'x' } }] },
      'ADDRESS_INVALID',
      'IPv4Data[0].AuxAddresses.h',
    ],
    [
      'a flag of text',
      create,
      { ...network, Options: { 'com.docker.network.internal': 'true' } },
      'BODY_INVALID',
      'Options["com.docker.network.internal"]',
    ],
    [
      'an option of number',
      create,
      { ...network, Options: { 'com.docker.network.generic': { mtu: 1380 } } },
      'BODY_INVALID',
      'Options["com.docker.network.generic"].mtu',
    ],
    [
      'a bare endpoint address',
      attach,
      { ...endpoint, Interface: { Address: '10.0.0.2' } },
      'ADDRESS_INVALID',
      'Interface.Address',
    ],
    [
      'a long address',
      attach,
      { ...endpoint, Interface: { Address: '1'.repeat(1e6) } },
      'ADDRESS_INVALID',
      'Interface.Address',
    ],
    [
      'a short MAC',
      attach,
      { ...endpoint, Interface: { MacAddress: '02:42' } },
      'MAC_INVALID',
      'Interface.MacAddress',
    ],
    [
      'a multicast MAC',
      attach,
      { ...endpoint, Interface: { MacAddress: '03:00:00:00:00:01' } },
      'MAC_INVALID',
      'multicast',
    ],
    [
      'a zero MAC',
      attach,
      { ...endpoint, Interface: { MacAddress: '00:00:00:00:00:00' } },
      'MAC_INVALID',
      'zero',
    ],
    ['a relative sandbox', join, { ...endpoint, SandboxKey: 'netns/1' }, 'BODY_INVALID', 'SandboxKey'],
    [
      'a climbing sandbox',
      join,
      { ...endpoint, SandboxKey: '/run/../etc/passwd' },
      'BODY_INVALID',
      'SandboxKey',
    ],
    [
      'a sandbox with a zero byte',
      join,
      { ...endpoint, SandboxKey: '/run/a\0b' },
      'BODY_INVALID',
      'SandboxKey',
    ],
    ['no sandbox', join, endpoint, 'BODY_INVALID', 'SandboxKey'],
    [
      'a port too high',
      program,
      published({ Port: 65536 }),
      'BODY_INVALID',
      'Options["com.docker.network.portmap"][1].Port',
    ],
    [
      'port 0 of a container',
      program,
      published({ Port: 0 }),
      'BODY_INVALID',
      '[1].Port: ports of containers go from 1',
    ],
    ['a protocol without ports', program, published({ Proto: 1 }), 'BODY_INVALID', '[1].Proto'],
    ['half a port', program, published({ HostPort: 1.5 }), 'BODY_INVALID', '[1].HostPort'],
    ['a range backwards', program, published({ HostPortEnd: 79 }), 'BODY_INVALID', '[1].HostPortEnd'],
    ['a host address of text', program, published({ HostIP: 'localhost' }), 'ADDRESS_INVALID', '[1].HostIP'],
    ['a pool of text', ipam, { ...pool, Pool: 'any' }, 'ADDRESS_INVALID', 'Pool'],
    [
      'a range without prefix',
      ipam,
      { ...pool, Pool: '10.0.0.0/24', SubPool: '10.0.0.9' },
      'ADDRESS_INVALID',
      'SubPool',
    ],
    [
      'an address with prefix',
      '/IpamDriver.RequestAddress',
      { PoolID: 'p', Address: '10.0.0.1/24' },
      'ADDRESS_INVALID',
      'Address',
    ],
    ['no pool id', '/IpamDriver.ReleasePool', { PoolID: '' }, 'BODY_INVALID', 'PoolID'],
    ['no address', '/IpamDriver.ReleaseAddress', { PoolID: 'p', Address: '' }, 'ADDRESS_INVALID', 'Address'],
  ])('refuses %s', async (_, path, body, code, where) => {
    const answer = await refused(path, JSON.stringify(body));
    expect(answer.code).toBe(code);
    expect(answer.text).toContain(where);
    expect(answer.text.length).toBeLessThan(1000);
  });

  it('names a wrong shape before a wrong value, and no more than three', async () => {
    const bad = { NetworkID: 'no', IPv4Data: [{ Pool: 1 }, { Pool: 2 }, { Pool: 3 }, { Pool: 4 }] };
    const { code, text } = await refused(create, JSON.stringify(bad));
    expect(code).toBe('BODY_INVALID');
    expect(text).toMatch(/IPv4Data\[2\]\.Pool.*; 1 more/);
  });
});
