import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { engineListing } from '../../src/engine/listing.ts';

let folder: string;
let server: Server;
const socket = () => join(folder, 'docker.sock');

/** An engine that answers each path with a status and a body. */
const engine = (answers: Record<string, [number, unknown]>) => {
  server = createServer((request, response) => {
    const [status, body] = answers[request.url ?? ''] ?? [404, { message: 'page not found' }];
    response.writeHead(status).end(JSON.stringify(body));
  });
  return new Promise<void>(resolve => server.listen(socket(), resolve));
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tsnet-listing-'));
});
afterEach(async () => {
  await new Promise(resolve => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const ID = 'a'.repeat(64);

describe('what the engine lists', () => {
  it('are its networks, with the subnets as they were asked for, canonical', async () => {
    const config = [
      {
        Subnet: '198.18.0.7/24',
        IPRange: '198.18.0.192/27',
        Gateway: '198.18.0.1',
        AuxiliaryAddresses: { host: '198.18.0.9/24', lost: '<nil>' },
      },
      { Subnet: '2001:DB8::/64', Gateway: '2001:0DB8::1' },
      { Subnet: '' },
    ];
    await engine({
      '/networks': [
        200,
        [
          { Id: ID, Name: 'lan', Driver: 'tsnet', IPAM: { Driver: 'tsnet', Options: {}, Config: config } },
          { Id: 'b', Name: 'none', Driver: 'null', IPAM: { Driver: 'default', Options: null, Config: null } },
          { Id: 'c', Name: 'odd' },
        ],
      ],
    });
    expect(await engineListing(socket()).networks()).toEqual([
      {
        id: ID,
        ipam: 'tsnet',
        subnets: [
          { subnet: '198.18.0.0/24', range: '198.18.0.192/27', reserved: ['198.18.0.1', '198.18.0.9'] },
          { subnet: '2001:db8::/64', reserved: ['2001:db8::1'] },
        ],
      },
      { id: 'b', ipam: 'default', subnets: [] },
      { id: 'c', ipam: '', subnets: [] },
    ]);
  });

  it('are the endpoints of a network, also those without a container yet', async () => {
    const Containers = {
      c0ffee: { Name: 'web', EndpointID: 'e1', IPv4Address: '198.18.0.2/24', IPv6Address: '2001:DB8::2/64' },
      'ep-e2': { Name: 'new', EndpointID: 'e2', IPv4Address: '198.18.0.3/24', IPv6Address: '' },
    };
    await engine({ [`/networks/${ID}`]: [200, { Id: ID, Containers }] });
    expect(await engineListing(socket()).endpoints(ID)).toEqual([
      { id: 'e1', addresses: ['198.18.0.2', '2001:db8::2'] },
      { id: 'e2', addresses: ['198.18.0.3'] },
    ]);
  });

  it('is nothing when it does not answer as it should', async () => {
    await engine({ '/info': [503, {}], '/networks': [200, { message: 'booting' }] });
    const listing = engineListing(socket());
    await expect(listing.engineId()).rejects.toThrow(/status 503/);
    await expect(listing.networks()).rejects.toThrow(/array/);
    await expect(listing.endpoints(ID)).rejects.toThrow(/status 404/);
  });
});
