import { describe, expect, it } from 'vitest';
import { EMPTY } from '../../src/host-state/types.ts';
import type { NetworkOptions, PortRequest } from '../../src/model.ts';
import { ownAddressState, ownPorts } from '../../src/publish/own-address.ts';
import { endpoint, macvlanNetwork, network } from '../modes/samples.ts';

const port = (hostPort: number, to: number, changes: Partial<PortRequest> = {}): PortRequest => ({
  protocol: 'tcp',
  port: to,
  hostPort,
  hostPortEnd: hostPort,
  ...changes,
});
const SANDBOX = '/run/docker/netns/0123456789ab';
const LAN6 = { ipv6: true, subnets6: [{ pool: '2001:db8::/64', aux: {} }] };

const own = (ports: PortRequest[], options: Partial<NetworkOptions> = {}) => {
  const of = macvlanNetwork({ ...LAN6, options });
  return ownPorts(of, endpoint(of, { ports })).map(
    ({ protocol, address, from, to }) => `${protocol} ${address} ${from}->${to}`,
  );
};

describe("ports of a container's own address", () => {
  it('are those of -p, on each of its addresses', () => {
    expect(own([port(80, 8080)])).toEqual(['tcp 198.18.0.16 80->8080', 'tcp 2001:db8::10 80->8080']);
  });

  it('without a number for the host keep their own', () => {
    expect(own([port(0, 8080)])).toContain('tcp 198.18.0.16 8080->8080');
  });

  it('are not those that are meant for an address of the host', () => {
    expect(own([port(80, 8080, { hostIp: '127.0.0.1' }), port(81, 8080, { hostIp: '198.18.0.5' })])).toEqual(
      [],
    );
    expect(own([port(80, 8080, { hostIp: '0.0.0.0' })])).toEqual(['tcp 198.18.0.16 80->8080']);
    expect(own([port(80, 8080, { hostIp: '2001:db8::10' })])).toEqual(['tcp 2001:db8::10 80->8080']);
  });

  it('asked for twice go to the first that asks', () => {
    expect(own([port(80, 8080), port(80, 9090)])).toEqual([
      'tcp 198.18.0.16 80->8080',
      'tcp 2001:db8::10 80->8080',
    ]);
    expect(own([port(80, 8080), port(80, 9090, { protocol: 'udp' })])).toHaveLength(4);
  });

  it('there are with publish=self and both, and nowhere else', () => {
    expect(own([port(80, 8080)], { publish: 'both' })).toHaveLength(2);
    expect(own([port(80, 8080)], { publish: 'host' })).toEqual([]);
    expect(own([port(80, 8080)], { publish: 'off' })).toEqual([]);
    const of = network();
    expect(ownPorts(of, endpoint(of, { ports: [port(80, 8080)] }))).toEqual([]);
  });
});

describe('redirections inside the sandbox', () => {
  const of = macvlanNetwork();

  it('are those of ports that change their number', () => {
    const on = endpoint(of, { sandbox: SANDBOX, ports: [port(80, 8080), port(443, 443)] });
    expect(ownAddressState(of, on)).toEqual({
      ...EMPTY,
      redirects: [
        {
          sandbox: SANDBOX,
          endpointId: on.id,
          rules: [{ protocol: 'tcp', address: '198.18.0.16', from: 80, to: 8080 }],
        },
      ],
    });
  });

  it('are none where all keep it, or nobody has said where the sandbox is', () => {
    expect(ownAddressState(of, endpoint(of, { sandbox: SANDBOX, ports: [port(443, 443)] }))).toBe(EMPTY);
    expect(ownAddressState(of, endpoint(of, { ports: [port(80, 8080)] }))).toBe(EMPTY);
  });
});
