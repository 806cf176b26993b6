import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseOptions } from '../src/driver/parse-options.ts';
import { ERRORS, TsnetError } from '../src/errors.ts';
import { OPTIONS, type OptionSpec } from '../src/options.ts';
import { refusal } from './driver/refusal.ts';

const SPECS: [string, OptionSpec][] = Object.entries(OPTIONS);
const MTU = 'com.docker.network.driver.mtu';
const NAME = 'com.docker.network.bridge.name';
const PREFIX = 'com.docker.network.container_iface_prefix';

const parse = (generic: Record<string, string>, internal = false) => parseOptions(generic, internal);
const refused = (generic: Record<string, string>, internal = false) =>
  refusal(() => parse(generic, internal));

const BRIDGE = {
  mode: 'bridge',
  macvlanMode: 'bridge',
  shim: false,
  mtu: 0,
  icc: true,
  masquerade: true,
  ifacePrefix: 'eth',
  publish: 'self',
  gatewayMode4: 'nat',
  gatewayMode6: 'nat',
  isolation: true,
  allowFrom: [],
  firewall: 'own',
  attach: 'auto',
  announceCount: 3,
  announceMs: 1000,
};

describe('the table of options', () => {
  it.each(SPECS)('%s has a mode, a doc sentence and a default', (name, spec) => {
    expect(name).toMatch(/^[a-z][a-z0-9_.]*$/);
    expect(spec.modes.length).toBeGreaterThan(0);
    expect(spec.doc).toMatch(/^[A-Z].*\.$/);
    expect(spec.default).not.toBe('');
  });

  it('has no name twice, aliases included', () => {
    const names = SPECS.flatMap(([name, spec]) => [name, ...(spec.aliases ?? [])]);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('without options', () => {
  it('a network is a bridge with everything on', () => expect(parse({})).toEqual(BRIDGE));

  it("the engine's own for announcements are kept for the interfaces that tsnet makes itself", () => {
    const generic = {
      'com.docker.network.advertise_addr_nmsgs': '0',
      'com.docker.network.advertise_addr_ms': '100',
    };
    expect(parse(generic)).toEqual({ ...BRIDGE, announceCount: 0, announceMs: 100 });
  });
});

describe('the mode', () => {
  it.each([
    [{ parent: 'eth0' }, 'macvlan'],
    [{ macvlan_mode: 'private' }, 'macvlan'],
    [{ mode: 'macvlan' }, 'macvlan'],
    [{ mode: 'bridge' }, 'bridge'],
    [{ [NAME]: 'br0' }, 'bridge'],
  ])('of %j is %s', (generic, mode) => expect(parse(generic).mode).toBe(mode));
});

describe('a macvlan network', () => {
  it('with a parent has a shim', () => {
    expect(parse({ parent: 'eth0.100' })).toEqual({
      ...BRIDGE,
      mode: 'macvlan',
      parent: 'eth0.100',
      shim: true,
    });
  });

  it.each([
    [{ parent: 'eth0', shim: 'false' }],
    [{ parent: 'eth0', macvlan_mode: 'private' }],
    [{ parent: 'eth0', macvlan_mode: 'vepa' }],
    [{ parent: 'eth0', macvlan_mode: 'passthru' }],
    [{ parent: 'eth0', macvlan_mode: 'passthru', shim: 'off' }],
    [{ mode: 'macvlan' }],
    [{ parent: '' }],
  ])('%j has none', generic => expect(parse(generic).shim).toBe(false));

  it('that is internal is cut off from its parent', () => {
    const options = parse({ parent: 'eth0' }, true);
    expect(options).toEqual({ ...BRIDGE, mode: 'macvlan' });
  });

  it.each([
    [{ shim: 'true', mode: 'macvlan' }, false],
    [{ shim: 'true', parent: 'eth0', macvlan_mode: 'private' }, false],
    [{ shim: 'true', parent: 'eth0' }, true],
  ])('%j (internal: %j) cannot have one', (generic, internal) => {
    expect(refused(generic, internal)).toMatchObject({ code: 'OPTION_CONFLICT' });
  });
});

describe('a boolean', () => {
  const icc = (value: string) => parse({ 'com.docker.network.bridge.enable_icc': value }).icc;

  it.each(['1', 't', 'T', 'TRUE', 'true', 'True', 'on'])('is on with %j', text =>
    expect(icc(text)).toBe(true),
  );
  it.each(['0', 'f', 'F', 'FALSE', 'false', 'False', 'off'])('is off with %j', text =>
    expect(icc(text)).toBe(false),
  );
  it.each(['', 'yes', 'no', 'tRUE', ' true', '2'])('refuses %j', text => {
    expect(refused({ enable_icc: text })).toMatchObject({
      code: 'OPTION_INVALID',
      what: `option com.docker.network.bridge.enable_icc=${JSON.stringify(text)} is not true or false`,
    });
  });

  it('is read for each of its options', () => {
    expect(parse({ enable_ip_masquerade: 'off' })).toEqual({ ...BRIDGE, masquerade: false });
    expect(parse({ shim: 'on', parent: 'eth0' }).shim).toBe(true);
  });
});

describe('the MTU', () => {
  it.each([
    ['68', 68],
    ['1500', 1500],
    ['65535', 65535],
    ['', 0],
  ])('%j is read', (text, mtu) => {
    expect(parse({ [MTU]: text }).mtu).toBe(mtu);
    expect(parse({ mtu: text }).mtu).toBe(mtu);
  });

  it.each(['67', '65536', '-1', '1e3', '0x600', '1500.0', ' 1500', '9999999999'])('%j is refused', text => {
    expect(refused({ [MTU]: text })).toMatchObject({
      code: 'OPTION_INVALID',
      what: expect.stringContaining('a whole number from 68 to 65535'),
    });
  });
});

describe('a choice', () => {
  it.each(['bridge', 'private', 'vepa', 'passthru'])('macvlan_mode=%s is read', mode =>
    expect(parse({ macvlan_mode: mode }).macvlanMode).toBe(mode),
  );

  it.each([
    ['macvlan_mode', 'privat', 'private'],
    ['macvlan_mode', 'passthrough', 'passthru'],
    ['mode', 'macvln', 'macvlan'],
    ['mode', 'Bridge', 'bridge'],
  ])('%s=%s is refused, and %s named', (name, value, near) => {
    expect(refused({ [name]: value })).toMatchObject({
      code: 'OPTION_INVALID',
      what: expect.stringContaining(`${near} is the nearest`),
    });
  });
});

describe('a link name', () => {
  it.each(['br0', 'br-lan', 'exactly15bytes_'])('%j is read', name => {
    expect(parse({ [NAME]: name }).bridgeName).toBe(name);
  });

  it('that is empty means none', () => expect(parse({ [NAME]: '' })).toEqual(BRIDGE));

  it.each(['sixteen_bytes_xx', '../eth0', 'a b', 'all', '"x"', 'br0;drop'])('%j is refused', name => {
    expect(refused({ [NAME]: name })).toMatchObject({ code: 'OPTION_INVALID' });
    expect(refused({ parent: name })).toMatchObject({ code: 'OPTION_INVALID' });
  });
});

describe('the interface prefix', () => {
  it.each(['eth', 'net', 'a', 'lan-0_x', 'twelve_chars'])('%j is read', prefix =>
    expect(parse({ [PREFIX]: prefix }).ifacePrefix).toBe(prefix),
  );
  // The engine adds a number, and the whole has 15 bytes at most.
  it.each(['', '0eth', 'thirteenchars', 'a/b', 'a b', 'é'])('%j is refused', prefix => {
    expect(refused({ [PREFIX]: prefix })).toMatchObject({ code: 'OPTION_INVALID' });
  });
});

describe('names', () => {
  it.each([
    ['parrent', 'parent'],
    ['com.docker.network.bridge.enable_ic', 'com.docker.network.bridge.enable_icc'],
    ['com.docker.network.bridge.mtu', 'com.docker.network.driver.mtu'],
    ['container_iface_prefix', 'com.docker.network.container_iface_prefix'],
    ['macvlan-mode', 'macvlan_mode'],
    ['PARENT', 'parent'],
  ])('%s is not known; %s is the nearest', (name, near) => {
    const error = refused({ [name]: 'x' });
    expect(error).toMatchObject({ code: 'OPTION_UNKNOWN' });
    expect(error.what).toBe(`option ${JSON.stringify(name)} is not known; ${near} is the nearest`);
  });

  it('may be given as alias and in full if they agree', () => {
    expect(parse({ mtu: '1400', [MTU]: '1400' }).mtu).toBe(1400);
    expect(refused({ mtu: '1400', [MTU]: '1500' })).toMatchObject({ code: 'OPTION_CONFLICT' });
  });

  it.each([
    [{ mode: 'bridge', parent: 'eth0' }, 'parent'],
    [{ parent: 'eth0', enable_icc: 'true' }, 'com.docker.network.bridge.enable_icc'],
    [{ mode: 'macvlan', [NAME]: 'br0' }, NAME],
    [{ mode: 'bridge', shim: 'false' }, 'shim'],
  ])('%j do not go together', (generic, name) => {
    const error = refused(generic);
    expect(error.code).toBe('OPTION_CONFLICT');
    expect(error.what).toContain(`option ${name} is of mode`);
  });
});

const names = SPECS.flatMap(([name, spec]) => [name, ...(spec.aliases ?? [])]);
const likely = fc.dictionary(
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: fc.string() }),
  fc.oneof(
    fc.constantFrom('true', 'false', 'on', '', 'bridge', 'macvlan', 'private', 'passthru', 'eth0', '1500'),
    fc.constantFrom('host', 'both', 'routed', 'isolated', 'ufw', '198.18.0.11', '2001:db8::/32,198.18.0.1'),
    fc.string(),
  ),
  { maxKeys: 4 },
);

describe('parseOptions', { timeout: 60_000 }, () => {
  it('throws nothing but coded errors, and answers in one form', () => {
    let accepted = 0;
    fc.assert(
      fc.property(likely, fc.boolean(), (generic, internal) => {
        try {
          const options = parse(generic, internal);
          accepted += 1;
          const { parent, bridgeName, hostBinding, ...rest } = options;
          expect(Object.keys(rest).sort()).toEqual(Object.keys(BRIDGE).sort());
          for (const [key, value] of Object.entries(BRIDGE))
            expect(typeof rest[key as keyof typeof rest]).toBe(typeof value);
          for (const link of [parent, bridgeName])
            if (link !== undefined) expect(link).toMatch(/^[\w.@-]{1,15}$/);
          if (hostBinding !== undefined) expect(hostBinding).toMatch(/^[\da-fA-F.:]+$/);
          if (options.publish === 'host' || options.publish === 'both') expect(options.shim).toBe(true);
          for (const gateway of [options.gatewayMode4, options.gatewayMode6])
            if (gateway === 'isolated') expect(internal).toBe(true);
          if (options.shim) expect(options).toMatchObject({ mode: 'macvlan', macvlanMode: 'bridge' });
          if (options.shim || !internal) expect('parent' in options).toBe(parent !== undefined);
          if (internal || options.mode === 'bridge') expect(parent).toBeUndefined();
          if (options.mode === 'macvlan') expect(bridgeName).toBeUndefined();
        } catch (error) {
          if (!(error instanceof TsnetError)) throw error;
          expect(error.code).toMatch(/^OPTION_/);
          expect(Object.keys(ERRORS)).toContain(error.code);
        }
      }),
      { numRuns: 1500 },
    );
    expect(accepted).toBeGreaterThan(30);
  });
});
