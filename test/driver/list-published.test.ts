import { describe, expect, it } from 'vitest';
import { listPublished } from '../../src/driver/list-published.ts';
import type { Endpoint, Network, PublishedPort } from '../../src/model.ts';
import { ENDPOINT, endpoint, macvlanNetwork, NETWORK, network, SUBNET6 } from '../modes/samples.ts';

const http: PublishedPort = { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8080, port: 80 };
const http6: PublishedPort = { ...http, hostAddress: '::' };

const listed = (of: Network, changes: Partial<Endpoint>) =>
  listPublished({ networks: () => [of], endpointsOf: () => [endpoint(of, changes)] });
/** `0.0.0.0:8080 > 198.18.1.16:80/tcp host` */
const words = (of: Network, changes: Partial<Endpoint>) =>
  listed(of, changes).map(
    p => `${p.hostAddress}:${p.hostPort} > ${p.containerAddress}:${p.containerPort}/${p.protocol} ${p.at}`,
  );

describe('published ports on the host', () => {
  it('are listed with their network, endpoint and container', () => {
    expect(listed({ ...network(), name: 'web' }, { published: [http] })).toEqual([
      {
        networkId: NETWORK,
        network: 'web',
        endpointId: ENDPOINT,
        mode: 'bridge',
        protocol: 'tcp',
        hostAddress: '0.0.0.0',
        hostPort: 8080,
        containerAddress: '198.18.1.16',
        containerPort: 80,
        at: 'host',
      },
    ]);
  });

  it('lead to the address of their family, and over IPv6 to IPv4 where the container has nothing else', () => {
    expect(words(network({ ipv6: true, subnets6: [SUBNET6] }), { published: [http, http6] })).toEqual([
      '0.0.0.0:8080 > 198.18.1.16:80/tcp host',
      ':::8080 > 2001:db8:1::10:80/tcp host',
    ]);
    expect(words(network(), { published: [http, http6] })).toEqual([
      '0.0.0.0:8080 > 198.18.1.16:80/tcp host',
      ':::8080 > 198.18.1.16:80/tcp host',
    ]);
  });

  it('have no name of a network that is not known yet', () => {
    expect(listed(network(), { published: [http] })[0]).not.toHaveProperty('network');
  });

  it('are not what is asked for but not published', () => {
    const asked = { protocol: 'tcp' as const, port: 80, hostPort: 8080, hostPortEnd: 8080 };
    expect(words(network(), { ports: [asked] })).toEqual([]);
  });

  it.each<[string, Partial<Network>, Partial<Endpoint>]>([
    ['a network', { lifecycle: 'deleting' }, {}],
    ['an endpoint', {}, { lifecycle: 'deleting' }],
  ])('are none of %s that is being removed', (_what, ofNetwork, ofEndpoint) => {
    expect(words({ ...network(), ...ofNetwork }, { published: [http], ...ofEndpoint })).toEqual([]);
  });
});

describe("published ports on a container's own address", () => {
  const ports = [{ protocol: 'tcp' as const, port: 8080, hostPort: 80, hostPortEnd: 90 }];
  const self = (publish: Network['options']['publish']) => macvlanNetwork({ options: { publish } });

  it('are listed from Join to Leave, a range by its first port', () => {
    expect(words(self('self'), { ports })).toEqual(['198.18.0.16:80 > 198.18.0.16:8080/tcp self']);
    expect(words(self('self'), { ports, joined: false })).toEqual([]);
    expect(words(self('self'), { ports, left: true })).toEqual([]);
  });

  it('are listed with those of the host, or not, as the network has it', () => {
    const onHost = '0.0.0.0:80 > 198.18.0.16:8080/tcp host';
    const published = [{ protocol: 'tcp' as const, hostAddress: '0.0.0.0', hostPort: 80, port: 8080 }];
    expect(words(self('both'), { ports, published })).toEqual([
      onHost,
      '198.18.0.16:80 > 198.18.0.16:8080/tcp self',
    ]);
    expect(words(self('host'), { ports, published })).toEqual([onHost]);
    expect(words(self('off'), { ports })).toEqual([]);
  });
});
