import { describe, expect, it } from 'vitest';
import { admission } from '../../src/relay/relay.ts';

const target = { address: '127.0.0.1', port: 80 };
const nobody = () => [];

describe('admission', () => {
  it('serves everybody where nothing is said', () => {
    const admits = admission(target);
    expect(['::1', 'fe80::1%eth0', '2001:db8::1'].map(admits)).toEqual([true, true, true]);
  });

  it('serves those in one of the ranges, whatever link they come by', () => {
    const admits = admission(
      { ...target, allowFrom: ['10.0.0.0/8', '2001:db8:1::/48', 'fe80::/64'] },
      nobody,
    );
    expect(admits('2001:db8:1::5')).toBe(true);
    expect(admits('2001:db8:2::5')).toBe(false);
    expect(admits('fe80::1%eth0')).toBe(true);
    expect(admits('::1')).toBe(false);
  });

  it('serves nobody where no range is given', () => {
    expect(admission({ ...target, allowFrom: [] }, nobody)('::1')).toBe(false);
  });

  it('serves the host itself always', () => {
    const admits = admission({ ...target, allowFrom: [] }, () => ['::1', '2001:db8::5', 'fe80::5']);
    expect(['::1', '2001:db8::5', 'fe80::5%eth0'].map(admits)).toEqual([true, true, true]);
    expect(admits('2001:db8::6')).toBe(false);
    expect(admission({ ...target, allowFrom: [] })('127.0.0.1')).toBe(true);
  });
});
