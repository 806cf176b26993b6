import fc from 'fast-check';
import type { Random } from '../random.ts';

/** What has broken programs of this kind before, or looks as if it could. */
const KNOWN: readonly unknown[] = [
  null,
  true,
  false,
  '',
  ' ',
  '<nil>',
  'null',
  0,
  -0,
  -1,
  0.5,
  1e308,
  2 ** 31,
  2 ** 53 + 2,
  65_535,
  65_536,
  255,
  256,
  [],
  {},
  [[]],
  { toString: 'x', valueOf: 1, constructor: null },
  '10.0.0.0/-1',
  '10.0.0.0/33',
  '0.0.0.0/0',
  '255.255.255.255/32',
  '10.1/8',
  '0x7f.1/8',
  '010.0.0.1',
  '::/0',
  '::/128',
  '::ffff:198.18.0.1/96',
  'fe80::1%eth0/64',
  'fe80::1%$(reboot)',
  'ff02::1/128',
  '224.0.0.1/4',
  '127.0.0.1/8',
  'ff:ff:ff:ff:ff:ff',
  '00:00:00:00:00:00',
  '01:00:5e:00:00:01',
  '02-42-0a-00-00-05',
  '..',
  '../..',
  '/etc/passwd',
  '/proc/self/fd/0',
  '/proc/self/ns/net',
  '/proc/1/ns/net',
  '/run/docker/netns/../../../etc/shadow',
  '/dev/stdin',
  'file:///',
  '$(reboot)',
  '`reboot`',
  '; reboot #',
  '| cat',
  '&& true',
  "' OR '1'='1",
  '"; DROP TABLE network; --',
  '} delete table inet tsnet {',
  '1 . 2 : 3 }; flush ruleset',
  '"; flush ruleset; "',
  'eth0"',
  'eth0 } accept',
  'a'.repeat(15),
  'a'.repeat(16),
  'a'.repeat(300),
  'lo',
  'all',
  'default',
  'eth0',
  'eth0.5',
  'eth0:1',
  '-eth0',
  '--help',
  '.',
  'net.ipv4.conf.IFNAME.log_martians=1',
  'net.ipv4.conf.IFNAME.log_martians=1\nnet.x=2',
  'net.ipv4.conf.IFNAME.../../ip_forward=1',
  'net.ipv4.conf.IFNAME.%2e%2e=1',
  '\0',
  '\r\n',
  'a\nb',
  '\u001b[2J',
  '\u202e',
  '\ufeff',
  '\ud800',
  'é'.repeat(8),
  '😀'.repeat(4),
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'tsnet-local/198.18.40.0/24',
  'tsnet-local/198.18.40.0/24/198.18.40.0/25',
  'tsnet-local/0.0.0.0/0',
  'tsnet-local/::/0',
  'tsnet-global/fd00::/64',
  'no-space/198.18.0.0/24',
];

/** Keys that mean something to somebody. */
const KEYS: readonly string[] = [
  '__proto__',
  'constructor',
  '',
  'NetworkID',
  'EndpointID',
  'Options',
  'Interface',
  'com.docker.network.generic',
  'com.docker.network.portmap',
  'com.docker.network.internal',
  'com.docker.network.enable_ipv6',
  'com.docker.network.endpoint.ifname',
  'com.docker.network.endpoint.sysctls',
  'com.docker.network.bridge.name',
  'parent',
  'mode',
];

const MADE = 4_000;

/** Values where they do not belong: known troublemakers, and what fast-check makes up. */
export class Nasty {
  readonly #random: Random;
  readonly #made: readonly unknown[];

  constructor(random: Random, seed: number) {
    this.#random = random;
    const any = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.array(fc.nat({ max: 0x2fff }), { maxLength: 40 }).map(codes => String.fromCharCode(...codes)),
      fc.string({ maxLength: 20 }),
      fc.double(),
      fc.integer(),
      fc.ipV4Extended(),
      fc.ipV6(),
      fc.object({ maxDepth: 2 }),
    );
    this.#made = fc.sample(any, { seed, numRuns: MADE });
  }

  value(): unknown {
    if (this.#random.chance(0.01)) return this.#large();
    return this.#random.pick(this.#random.chance(0.6) ? KNOWN : this.#made);
  }

  /** A value as text. */
  text(): string {
    const value = this.value();
    return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  }

  key(): string {
    const made = this.#random.pick(this.#made);
    return this.#random.chance(0.5) || typeof made !== 'string' ? this.#random.pick(KEYS) : made;
  }

  #large(): unknown {
    const size = 10 ** (1 + this.#random.below(4));
    switch (this.#random.below(3)) {
      case 0:
        return 'x'.repeat(size);
      case 1:
        return Array.from({ length: size }, () => 0);
      default: {
        let deep: unknown = 1;
        for (let level = 0; level < Math.min(size, 500); level++)
          deep = level % 2 === 0 ? [deep] : { a: deep };
        return deep;
      }
    }
  }
}
