import { describe, expect, it } from 'vitest';
import { parseOptions } from '../src/driver/parse-options.ts';
import { refusal } from './driver/refusal.ts';

const MODE4 = 'com.docker.network.bridge.gateway_mode_ipv4';
const MODE6 = 'com.docker.network.bridge.gateway_mode_ipv6';
const BINDING = 'com.docker.network.bridge.host_binding_ipv4';

const parse = (generic: Record<string, string>, internal = false) => parseOptions(generic, internal);
const refused = (generic: Record<string, string>, internal = false) =>
  refusal(() => parse(generic, internal));

describe('publish', () => {
  it.each(['self', 'host', 'both', 'off'])('=%s is read with a parent', publish =>
    expect(parse({ parent: 'eth0', publish })).toMatchObject({ publish, shim: true }),
  );

  it('is self where nobody says otherwise', () =>
    expect(parse({ parent: 'eth0' })).toMatchObject({ publish: 'self' }));

  it.each([
    [{ publish: 'host', parent: 'eth0', shim: 'false' }, false],
    [{ publish: 'both', parent: 'eth0', macvlan_mode: 'private' }, false],
    [{ publish: 'both', parent: 'eth0', macvlan_mode: 'vepa' }, false],
    [{ publish: 'host', parent: 'eth0', macvlan_mode: 'passthru' }, false],
    [{ publish: 'host', mode: 'macvlan' }, false],
    [{ publish: 'host', parent: 'eth0' }, true],
  ])('%j (internal: %j) lacks the shim', (generic, internal) => {
    expect(refused(generic, internal)).toMatchObject({
      code: 'OPTION_CONFLICT',
      what: `option publish=${generic.publish} needs the shim`,
    });
  });

  it.each([
    { publish: 'self', parent: 'eth0', shim: 'false' },
    { publish: 'off', parent: 'eth0', macvlan_mode: 'private' },
    { publish: 'self', mode: 'macvlan' },
  ])('%j needs none', generic => expect(parse(generic).publish).toBe(generic.publish));

  it('is of mode macvlan', () => {
    expect(refused({ publish: 'host' })).toMatchObject({
      code: 'OPTION_CONFLICT',
      what: 'option publish is of mode macvlan, the network is bridge',
    });
  });

  it.each([
    ['hots', 'host'],
    ['Self', 'self'],
    ['', 'off'],
    ['bath', 'both'],
  ])('=%s is refused, and %s named', (publish, near) => {
    expect(refused({ parent: 'eth0', publish })).toMatchObject({
      code: 'OPTION_INVALID',
      what: `option publish=${JSON.stringify(publish)} is not one of self, host, both, off; ${near} is the nearest`,
    });
  });
});

describe('a gateway mode', () => {
  it.each(['nat', 'nat-unprotected', 'routed'])('%s is read for each family by itself', mode => {
    expect(parse({ [MODE4]: mode })).toMatchObject({ gatewayMode4: mode, gatewayMode6: 'nat' });
    expect(parse({ [MODE6]: mode })).toMatchObject({ gatewayMode4: 'nat', gatewayMode6: mode });
    expect(parse({ gateway_mode_ipv4: mode, gateway_mode_ipv6: mode }, true)).toMatchObject({
      gatewayMode4: mode,
      gatewayMode6: mode,
    });
  });

  it.each([
    ['gateway_mode_ipv4', 4],
    ['gateway_mode_ipv6', 6],
    [MODE4, 4],
    [MODE6, 6],
  ])('%s=isolated is for internal networks', (name, family) => {
    expect(parse({ [name]: 'isolated' }, true)).toMatchObject({ [`gatewayMode${family}`]: 'isolated' });
    expect(refused({ [name]: 'isolated' })).toMatchObject({
      code: 'OPTION_CONFLICT',
      what: `option gateway_mode_ipv${family}=isolated is for internal networks`,
      remedy: expect.stringContaining('--internal'),
    });
  });

  it.each([
    ['route', 'routed'],
    ['nat_unprotected', 'nat-unprotected'],
    ['NAT', 'nat'],
    ['isolate', 'isolated'],
  ])('%s is refused, and %s named', (mode, near) => {
    const error = refused({ gateway_mode_ipv4: mode }, true);
    expect(error.code).toBe('OPTION_INVALID');
    expect(error.what).toContain(`${near} is the nearest`);
  });

  it.each([MODE4, MODE6])('%s is of mode bridge', name => {
    expect(refused({ parent: 'eth0', [name]: 'routed' })).toMatchObject({
      code: 'OPTION_CONFLICT',
      what: `option ${name} is of mode bridge, the network is macvlan`,
    });
  });
});

describe('isolation', () => {
  it('is on, and off on demand', () => {
    expect(parse({}).isolation).toBe(true);
    expect(parse({ isolation: 'off' }).isolation).toBe(false);
    expect(parse({ isolation: 'false' }).isolation).toBe(false);
  });

  it('is a boolean of mode bridge', () => {
    expect(refused({ isolation: 'none' })).toMatchObject({ code: 'OPTION_INVALID' });
    expect(refused({ isolation: 'off', parent: 'eth0' })).toMatchObject({ code: 'OPTION_CONFLICT' });
  });
});

describe('allow_from', () => {
  it.each([
    ['198.18.0.5', ['198.18.0.5/32']],
    ['2001:DB8::5', ['2001:db8::5/128']],
    ['198.18.0.5/24', ['198.18.0.0/24']],
    ['198.18.0.5, 2001:db8::/32 ,', ['198.18.0.5/32', '2001:db8::/32']],
    // The kernel refuses a network within another.
    ['198.18.0.0/24,198.18.0.7,198.18.0.128/25', ['198.18.0.0/24']],
    ['198.18.0.7,198.18.0.7/32', ['198.18.0.7/32']],
    ['0.0.0.0/0,::/0', ['0.0.0.0/0', '::/0']],
  ])('%j is %j', (text, cidrs) => {
    expect(parse({ allow_from: text }).allowFrom).toEqual(cidrs);
    expect(parse({ parent: 'eth0', publish: 'host', allow_from: text }).allowFrom).toEqual(cidrs);
  });

  it('is everybody where it is not given', () => expect(parse({}).allowFrom).toEqual([]));

  it.each([
    '',
    ' , ',
    'lan',
    '198.18.0.0/33',
    '198.18.0',
    '2001:db8::/129',
    'fe80::1%eth0',
    '::ffff:198.18.0.1',
    '198.18.0.1;198.18.0.2',
    '198.18.0.1 198.18.0.2',
    '198.18.0.1 } accept',
    '010.0.0.1',
  ])('%j is refused', text => {
    expect(refused({ allow_from: text })).toMatchObject({
      code: 'OPTION_INVALID',
      what: `option allow_from=${JSON.stringify(text)} is not a list of addresses or CIDRs with commas between`,
    });
  });
});

describe('host_binding_ipv4', () => {
  it.each(['127.0.0.1', '0.0.0.0', '198.18.0.11', '::', '2001:db8::11'])('%s is read', address => {
    expect(parse({ host_binding_ipv4: address }).hostBinding).toBe(address);
    expect(parse({ [BINDING]: address }).hostBinding).toBe(address);
  });

  it('that is empty or not given means every address', () => {
    expect(parse({})).not.toHaveProperty('hostBinding');
    expect(parse({ [BINDING]: '' })).not.toHaveProperty('hostBinding');
  });

  it.each(['localhost', '198.18.0.11/24', '198.18.0.256', 'fe80::1%eth0', ' 127.0.0.1', '1'])(
    '%j is refused',
    address => {
      expect(refused({ [BINDING]: address })).toMatchObject({
        code: 'OPTION_INVALID',
        what: `option ${BINDING}=${JSON.stringify(address)} is not an IP address`,
      });
    },
  );
});

describe('firewall', () => {
  it.each(['own', 'ufw'])('=%s is read in both modes', firewall => {
    expect(parse({ firewall }).firewall).toBe(firewall);
    expect(parse({ firewall, parent: 'eth0', publish: 'host' }).firewall).toBe(firewall);
  });

  it('is own where nobody says otherwise', () => expect(parse({}).firewall).toBe('own'));

  it.each(['', 'UFW', 'firewalld', 'true'])('=%j is refused', firewall => {
    expect(refused({ firewall })).toMatchObject({ code: 'OPTION_INVALID' });
  });
});
