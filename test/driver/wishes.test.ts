import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wishesOf } from '../../src/driver/wishes.ts';
import { isLinkName } from '../../src/host-state/names.ts';
import { sysctlsOf } from '../../src/modes/inside.ts';
import { refusal } from './refusal.ts';

const IFNAME = 'com.docker.network.endpoint.ifname';
const SYSCTLS = 'com.docker.network.endpoint.sysctls';
const ifname = (value: string) => wishesOf({ [IFNAME]: value });
const sysctls = (value: string) => wishesOf({ [SYSCTLS]: value });

describe('what an endpoint is asked to be', () => {
  it('is nothing without options, and nothing of those of the engine', () => {
    expect(wishesOf({})).toEqual({});
    expect(
      wishesOf({ 'com.docker.network.endpoint.exposedports': 'x', 'com.docker.network.portmap': '' }),
    ).toEqual({});
  });

  it('is nothing that nobody knows', () => {
    const error = refusal(() => wishesOf({ 'com.docker.network.portmap': '', parnet: 'eth0' }));
    expect(error).toMatchObject({ code: 'OPTION_UNKNOWN', status: 400 });
    expect(error.what).toBe('option "parnet" of the endpoint is not known');
  });

  it('is both', () => {
    const text = 'net.ipv4.conf.IFNAME.log_martians=1';
    expect(wishesOf({ [IFNAME]: 'wan', [SYSCTLS]: text })).toEqual({ ifname: 'wan', sysctls: text });
  });
});

describe('the name of the interface', { timeout: 60_000 }, () => {
  it.each(['eth0', 'e', 'wan', 'net-2', 'a.b@c_d', 'abcdefghijklmno'])('may be %j', name => {
    expect(ifname(name)).toEqual({ ifname: name });
  });

  it.each([
    '',
    '0eth',
    '_x',
    '-x',
    '.',
    '..',
    '.x',
    'a/b',
    '../x',
    'a b',
    'a\n',
    'a\0',
    'a:1',
    'a%d',
    'é',
    'all',
    'default',
    'abcdefghijklmnop',
    'x;reboot',
    '$(reboot)',
    '"x"',
  ])('is refused: %j', name => {
    const error = refusal(() => ifname(name));
    expect(error).toMatchObject({ code: 'OPTION_INVALID', status: 400 });
    expect(error.what).toBe(
      `option ${IFNAME}=${JSON.stringify(name)} is not a link name that begins with a letter`,
    );
  });

  it('is never one that is no link name, whatever is asked for', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.stringMatching(/^[a-z./\n -]{0,17}$/)),
        name => {
          try {
            const { ifname: taken } = ifname(name);
            expect(taken).toBe(name);
            expect(isLinkName(name)).toBe(true);
            // An engine up to 27 that has restarted reads what is before the number as a prefix.
            expect(name.replace(/\d+$/, '')).not.toBe('');
          } catch (error) {
            expect(error).toMatchObject({ code: 'OPTION_INVALID' });
          }
        },
      ),
    );
  });
});

describe('the parameters of the interface', { timeout: 60_000 }, () => {
  it.each([
    ['net.ipv4.conf.IFNAME.log_martians=1', [['net/ipv4/conf/vpn.5/log_martians', '1']]],
    [
      'net.ipv4.conf.IFNAME.rp_filter=2, net.ipv6.conf.IFNAME.accept_ra=0',
      [
        ['net/ipv4/conf/vpn.5/rp_filter', '2'],
        ['net/ipv6/conf/vpn.5/accept_ra', '0'],
      ],
    ],
    ['net.mpls.conf.IFNAME.input=1', [['net/mpls/conf/vpn.5/input', '1']]],
    [
      'net.ipv6.neigh.IFNAME.base_reachable_time_ms=30000',
      [['net/ipv6/neigh/vpn.5/base_reachable_time_ms', '30000']],
    ],
    ['net.ipv4.conf.IFNAME.tag=', [['net/ipv4/conf/vpn.5/tag', '']]],
    ['', []],
  ])('%j', (text, wanted) => {
    expect(sysctls(text)).toEqual({ sysctls: text });
    expect(sysctlsOf(text, 'vpn.5')).toEqual(wanted.map(([path, value]) => ({ path, value })));
  });

  it.each([
    'x',
    'net.ipv4.conf.IFNAME.log_martians',
    'net.ipv4.conf.eth0.log_martians=1',
    'net.ipv4.conf.all.log_martians=1',
    'net.ipv4.ip_forward=1',
    'kernel.core_pattern=|/x',
    'net.ipv4.conf.IFNAME.../../x=1',
    'net.ipv4.conf.IFNAME./../../../kernel/core_pattern=1',
    'net/ipv4/conf/IFNAME/log_martians=1',
    'net.../...conf.IFNAME.x=1',
    'net.ipv4.conf.IFNAME.log_martians.x=1',
    'net.ipv4.conf.IFNAME.log martians=1',
    'net.ipv4.conf.IFNAME.=1',
    'net..conf.IFNAME.x=1',
    'net.ipv4.conf.IFNAMEX.x=1',
    'vnet.ipv4.conf.IFNAME.x=1',
    'net.ipv4.conf.IFNAME.x=1\0',
    'net.ipv4.conf.IFNAME.x=1\n2',
    'net.ipv4.conf.IFNAME.x=1,',
    ',net.ipv4.conf.IFNAME.x=1',
    'net.ipv4.conf.IFNAME.x=1,,net.ipv4.conf.IFNAME.y=1',
    'net.ipv4.conf.IFNAME.x=1 net.ipv4.conf.IFNAME.y=1,y',
  ])('are refused: %j', text => {
    const error = refusal(() => sysctls(text));
    expect(error).toMatchObject({ code: 'OPTION_INVALID' });
    expect(error.what).toBe(
      `option ${SYSCTLS}=${JSON.stringify(text)} is not a list of net.X.Y.IFNAME.Z=value with commas between`,
    );
    expect(sysctlsOf(text, 'eth0')).toBeUndefined();
  });

  it('never lead elsewhere than to the interface, whatever is asked for', () => {
    const part = fc.constantFrom(
      'net',
      'ipv4',
      'conf',
      'IFNAME',
      '..',
      '.',
      '/',
      '',
      'all',
      'x',
      '=',
      '=1',
      ',',
      '\n',
    );
    const text = fc.oneof(
      fc.array(part, { maxLength: 12 }).map(parts => parts.join('.')),
      fc.array(part, { maxLength: 12 }).map(parts => parts.join('')),
      fc.string(),
      fc.string().map(key => `net.ipv4.conf.IFNAME.${key}=1`),
      fc.string().map(value => `net.ipv4.conf.IFNAME.x=${value}`),
    );
    fc.assert(
      fc.property(text, fc.constantFrom('eth0', 'vpn.5', 'a-b'), (asked, name) => {
        for (const { path, value } of sysctlsOf(asked, name) ?? []) {
          const parts = path.split('/');
          expect(parts).toHaveLength(5);
          expect([parts[0], parts[3]]).toEqual(['net', name]);
          for (const each of [parts[1], parts[2], parts[4]]) expect(each).toMatch(/^[A-Za-z0-9_]+$/);
          expect(value).not.toMatch(/[\0\n,]/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
