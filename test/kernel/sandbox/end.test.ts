import { describe, expect, it } from 'vitest';
import { readEnd } from '../../../src/kernel/sandbox/end.ts';
import {
  endAt,
  inOwnSandbox,
  KINDS,
  MAC,
  MARK,
  OF_MACVLAN,
  placedMacvlan,
  placedVeth,
  placeIn,
  putEnd,
} from './own-sandbox.ts';

const own = inOwnSandbox();
const MORE = { addresses: ['198.18.0.9/24', '198.18.0.10/24', '2001:db8::9/64'] };
const made = async (kind: (typeof KINDS)[number]) => {
  const place = placeIn(own.sandbox);
  await own.kernel.apply(kind.steps(place), { context: 'test' });
  return endAt(place, kind.known);
};
const interfaces = async () => JSON.stringify(await own.sandbox.json('address', 'show'));

describe.each(KINDS)('the end of a $kind inside a sandbox', kind => {
  it('is told by its index there', async () => {
    const end = await made(kind);
    const [link] = await own.sandbox.json('link', 'show', 'eth100');
    expect(await putEnd(end)).toBe(link?.['ifindex']);
  });

  it('is read as it was set', async () => {
    const end = await made(kind);
    expect(await readEnd(end)).toBe(end);
  });

  it.each([
    ['it is down', 'ip link set eth100 down'],
    ['an IPv4 address is missing', 'ip addr del 198.18.0.9/24 dev eth100'],
    ['an IPv6 address is missing', 'ip addr del 2001:db8::9/64 dev eth100'],
    [
      'an address has another prefix length',
      'ip addr del 198.18.0.9/24 dev eth100; ip addr add 198.18.0.9/25 dev eth100',
    ],
  ])('is not read as set where %s, and setting it mends that', async (_, harm) => {
    const end = await made(kind);
    await own.sandbox.sh(harm);
    expect(await readEnd(end)).toBeUndefined();
    await putEnd(end);
    expect(await readEnd(end)).toBe(end);
  });

  it('is not read as set where it is away, and cannot be set: KERNEL', async () => {
    const end = await made(kind);
    await own.sandbox.ip('link', 'delete', 'eth100');
    expect(await readEnd(end)).toBeUndefined();
    await expect(putEnd(end)).rejects.toMatchObject({
      code: 'KERNEL',
      what: 'interface eth100 is not in the container',
    });
  });

  it('keeps what the container has added to it', async () => {
    const end = await made(kind);
    await own.sandbox.ip('addr', 'add', '198.18.0.77/24', 'dev', 'eth100');
    const before = await interfaces();
    expect(await readEnd(end)).toBe(end);
    await putEnd(end);
    expect(await interfaces()).toBe(before);
  });

  it('is given what it lacks besides', async () => {
    const end = { ...(await made(kind)), ...MORE };
    expect(await readEnd(end)).toBeUndefined();
    await putEnd(end);
    expect(await readEnd(end)).toBe(end);
  });
});

describe('an interface of the same name that is somebody else’s', () => {
  it.each([
    ['a bridge', 'ip link add eth100 type bridge', {}],
    ['a bridge, where a macvlan is to be', 'ip link add eth100 type bridge', OF_MACVLAN],
    [
      'of the same MAC with an alias',
      `ip link add eth100 address ${MAC} type bridge; ip link set eth100 alias mine`,
      {},
    ],
    [
      'of another endpoint of tsnet',
      `ip link add eth100 address ${MAC} type bridge; ip link set eth100 alias ${MARK}0`,
      OF_MACVLAN,
    ],
    ['a veth with another MAC', 'ip link add eth100 type veth peer name other', {}],
  ])('is left as it is: LINK_TAKEN for %s', async (_, make, more) => {
    await own.sandbox.sh(make);
    const before = await interfaces();
    const sysctls = [{ path: 'net/ipv4/conf/eth100/log_martians', value: '1' }];
    const end = endAt(placeIn(own.sandbox), { ...more, sysctls, addresses: ['198.18.0.9/24'] });
    await expect(putEnd(end)).rejects.toMatchObject({
      code: 'LINK_TAKEN',
      what: 'the container has an interface eth100 already',
    });
    expect(await interfaces()).toBe(before);
    expect(
      await own.sandbox.sh(
        'cd /proc/sys/net; cat ipv4/conf/eth100/log_martians ipv6/conf/eth100/disable_ipv6',
      ),
    ).toBe('0\n0');
    expect(await readEnd(end)).toBeUndefined();
  });
});

describe('an end that was made and not set', () => {
  it.each([
    ['veth', () => own.rtnl.addLink(placedVeth(placeIn(own.sandbox))), {}],
    ['macvlan', () => own.rtnl.addLink(placedMacvlan(placeIn(own.sandbox))), OF_MACVLAN],
  ])('is not read as set, and can be set: %s', async (_, make, more) => {
    await make();
    const end = endAt(placeIn(own.sandbox), more);
    expect(await readEnd(end)).toBeUndefined();
    await putEnd(end);
    expect(await readEnd(end)).toBe(end);
  });
});

describe('an end in a sandbox that is not there', () => {
  it.each(['/nowhere', '/dev/null', '/proc/self/ns/mnt', '/proc/4194304/ns/net'])(
    'is nothing: %s',
    async sandbox => {
      const end = endAt({ sandbox, name: 'eth100' });
      expect(await putEnd(end)).toBeUndefined();
      expect(await readEnd(end)).toBeUndefined();
    },
  );
});
