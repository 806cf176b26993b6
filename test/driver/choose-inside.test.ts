import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseInside, prefixForEngine } from '../../src/driver/choose-inside.ts';
import { isLinkName } from '../../src/host-state/names.ts';
import type { SandboxView } from '../../src/kernel/sandbox/view.ts';
import type { Attachment, Endpoint } from '../../src/model.ts';
import { endpoint, network } from '../modes/samples.ts';

const viewOf = (names: readonly string[], more: Partial<SandboxView> = {}): SandboxView => ({
  links: names,
  destinations: [],
  ipv6: true,
  ...more,
});

interface Wish {
  readonly attach?: Attachment;
  readonly prefix?: string;
  readonly names?: readonly string[];
  readonly siblings?: readonly string[];
  readonly ifname?: string | undefined;
  readonly address4?: string | undefined;
  readonly address6?: string | undefined;
  readonly destinations?: readonly string[];
  readonly ipv6?: boolean;
}

const choose = (wish: Wish): string | undefined => {
  const { attach = 'auto', prefix = 'eth', names = ['eth0'], siblings = [], ipv6 = true } = wish;
  const of = network({ options: { attach, ifacePrefix: prefix } });
  const { address4: _address4, ...rest } = endpoint(of);
  const one: Endpoint = {
    ...rest,
    ...(wish.address4 === undefined ? {} : { address4: wish.address4 }),
    ...(wish.address6 === undefined ? {} : { address6: wish.address6 }),
    ...(wish.ifname === undefined ? {} : { ifname: wish.ifname }),
  };
  return chooseInside(of, one, viewOf(names, { destinations: wish.destinations ?? [], ipv6 }), siblings);
};

const PREFIXES = ['eth', 'vpn', 'vpn0', 'abcdefghijkl'];
const NAMES = PREFIXES.flatMap(prefix => [0, 1, 2, 99, 100, 101, 102].map(number => `${prefix}${number}`));
/** Subnets of which none overlaps another. */
const SUBNETS = ['198.18.1.0/24', '198.18.2.0/24', '198.18.3.128/25', '2001:db8:1::/64', '2001:db8:2::/64'];
const hostIn = (subnet: string | undefined) =>
  subnet
    ?.replace(/0\/(24|25)$/, '9/$1')
    .replace('128/', '129/')
    .replace('::/', '::9/');

const wish: fc.Arbitrary<Required<Wish>> = fc
  .record({
    names: fc.oneof(
      { weight: 1, arbitrary: fc.constant([] as string[]) },
      { weight: 6, arbitrary: fc.subarray(NAMES, { maxLength: 12 }) },
    ),
    attach: fc.constantFrom<Attachment>('auto', 'inside', 'engine'),
    prefix: fc.constantFrom(...PREFIXES),
    ifname: fc.option(fc.constantFrom(...NAMES, 'wan', 'lo'), { nil: undefined, freq: 2 }),
    address4: fc.option(fc.constantFrom(...SUBNETS.slice(0, 3).map(text => hostIn(text))), {
      nil: undefined,
    }),
    address6: fc.option(fc.constantFrom(...SUBNETS.slice(3).map(text => hostIn(text))), { nil: undefined }),
    destinations: fc.oneof({ weight: 3, arbitrary: fc.constant([] as string[]) }, fc.subarray(SUBNETS)),
    ipv6: fc.boolean(),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    some: fc.boolean(),
  })
  .map(({ share, some, ...rest }) => ({
    ...rest,
    siblings: some ? rest.names.slice(0, Math.ceil(rest.names.length * share)) : [],
  }));

/** Whether a name is the next one of its kind for an engine that counts only what it has moved. */
function isNext(name: string, { names, siblings }: Required<Wish>): boolean {
  const number = Number(/\d+$/.exec(name)?.[0] ?? Number.NaN);
  const prefix = name.replace(/\d+$/, '');
  const counted = names.filter(each => !siblings.includes(each));
  const below = Array.from({ length: number || 0 }, (_, k) => `${prefix}${k}`);
  const isFree = name === `${prefix}${number}` && !counted.includes(name);
  return isFree && below.every(each => counted.includes(each));
}

/** Why it must be left to the engine. */
function reasons(w: Required<Wish>): string[] {
  const found: string[] = [];
  const isMine = (address: string | undefined) => w.destinations.some(subnet => hostIn(subnet) === address);
  if (w.attach === 'engine') found.push('told to');
  if (w.siblings.length > 0) found.push('one is there that tsnet made');
  if (w.attach === 'auto' && w.names.length === 0 && w.ifname === undefined) found.push('the first');
  if (w.address6 !== undefined && !w.ipv6) found.push('no IPv6');
  if (isMine(w.address4) || isMine(w.address6)) found.push('a route leads there');
  if (w.ifname !== undefined && ['lo', ...w.names].includes(w.ifname)) found.push('the name is there');
  if (w.attach === 'auto' && w.ifname !== undefined && isNext(w.ifname, w))
    found.push('the engine comes to it');
  return found;
}

const property = (check: (w: Required<Wish>, name: string) => void) =>
  fc.assert(
    fc.property(wish, w => {
      const name = choose(w);
      if (name !== undefined) check(w, name);
    }),
    { numRuns: 3000 },
  );

describe('the name of an interface that tsnet makes', { timeout: 60_000 }, () => {
  it('is never that of one that is there', () => {
    property((w, name) => expect(['lo', ...w.names]).not.toContain(name));
  });

  it('is one that a link can have', () => {
    property((_, name) => expect(isLinkName(name)).toBe(true));
  });

  it('is the one that is wished for, and no other', () => {
    property((w, name) => {
      if (w.ifname !== undefined) expect(name).toBe(w.ifname);
    });
  });

  it('is of the prefix and the lowest number that is free, beyond those that the engine comes to', () => {
    property((w, name) => {
      if (w.ifname !== undefined) return;
      expect(name.startsWith(w.prefix)).toBe(true);
      const number = Number(name.slice(w.prefix.length));
      const alone = w.names.length === 0;
      expect(number).toBeGreaterThanOrEqual(alone ? 0 : 100);
      for (let lower = alone ? 0 : 100; lower < number; lower++)
        expect(w.names).toContain(`${w.prefix}${lower}`);
    });
  });

  it('is none exactly where there is a reason to leave it to the engine', () => {
    fc.assert(
      fc.property(wish, w => {
        const why = reasons(w);
        expect({ why, isLeft: choose(w) === undefined }).toEqual({ why, isLeft: why.length > 0 });
      }),
      { numRuns: 3000 },
    );
  });
});

describe('the prefix by which the engine comes to a name', { timeout: 60_000 }, () => {
  it('is that of a name that it comes to next, unless the name is there, and of no other', () => {
    fc.assert(
      fc.property(wish, w => {
        if (w.ifname === undefined) return;
        const isFree = !w.names.includes(w.ifname);
        const wanted = isNext(w.ifname, w) && isFree ? w.ifname.replace(/\d+$/, '') : undefined;
        expect(prefixForEngine(w.ifname, viewOf(w.names), w.siblings)).toBe(wanted);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['eth0', 'eth'],
    ['vpn0', 'vpn'],
    ['eth1', undefined],
    ['eth00', undefined],
    ['wan', undefined],
  ])('where nobody can look inside is for %s %s', (ifname, wanted) => {
    expect(prefixForEngine(ifname, undefined, [])).toBe(wanted);
  });
});

describe('who makes an interface', () => {
  it.each<[string, Wish, string | undefined]>([
    ['the first of a container', { names: [] }, undefined],
    ['a further one', { names: ['eth0'] }, 'eth100'],
    ['a further one, of many', { names: ['eth0', 'eth1', 'eth100'] }, 'eth101'],
    ['one beside that which tsnet has made', { names: ['eth0', 'eth100'], siblings: ['eth100'] }, undefined],
    ['the first, under a wished name', { names: [], ifname: 'wan' }, 'wan'],
    ['a further one, under a wished name', { names: ['eth0'], ifname: 'wan' }, 'wan'],
    ['the first, under the name that the engine gives it', { names: [], ifname: 'eth0' }, undefined],
    ['the first, under that of another prefix', { names: [], ifname: 'vpn0' }, undefined],
    [
      'a further one, under the name that the engine gives it',
      { names: ['eth0'], ifname: 'eth1' },
      undefined,
    ],
    [
      'a further one, under a name that the engine comes to later',
      { names: ['eth0'], ifname: 'eth2' },
      'eth2',
    ],
    ['one of a name that is there', { names: ['eth0'], ifname: 'eth0' }, undefined],
    ['one of the name of the loopback', { names: ['eth0'], ifname: 'lo' }, undefined],
    ['one of another prefix', { names: ['eth0'], prefix: 'vpn' }, 'vpn100'],
    ['the first, always inside', { names: [], attach: 'inside' }, 'eth0'],
    ['a second one, always inside', { names: ['eth0'], siblings: ['eth0'], attach: 'inside' }, undefined],
    ['one beside that of the engine, always inside', { names: ['eth0'], attach: 'inside' }, 'eth100'],
    ['any, always the engine', { names: ['eth0'], attach: 'engine', ifname: 'wan' }, undefined],
    [
      'one with an IPv6 address in a container without',
      { address6: '2001:db8::9/64', ipv6: false },
      undefined,
    ],
    ['one with an IPv6 address in a container with it', { address6: '2001:db8::9/64', ipv6: true }, 'eth100'],
    ['one without in a container without', { address4: '198.18.1.9/24', ipv6: false }, 'eth100'],
    [
      'one into whose subnet a route leads',
      { address4: '198.18.1.9/24', destinations: ['198.18.1.128/25'] },
      undefined,
    ],
    [
      'one whose subnet is in that of a route',
      { address4: '198.18.1.9/24', destinations: ['198.18.0.0/15'] },
      undefined,
    ],
    [
      'one into whose IPv6 subnet a route leads',
      { address6: '2001:db8::9/64', destinations: ['2001:db8::/32'] },
      undefined,
    ],
    [
      'one whose subnet is beside those of the routes',
      { address4: '198.18.1.9/24', destinations: ['198.18.0.0/24', '198.18.2.0/24', 'fe80::/64'] },
      'eth100',
    ],
    ['one without any address', {}, 'eth100'],
  ])('%s', (_, asked, name) => {
    expect(choose(asked)).toBe(name);
  });
});
