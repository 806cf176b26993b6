import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { renderTable } from '../../src/firewall/render.ts';
import type { DockerUserOutcome } from '../../src/kernel/nft/docker-user.ts';
import { Nft } from '../../src/kernel/nft/nft.ts';
import { readTable } from '../../src/kernel/nft/table.ts';
import { ELEMENTS, type Place, TestHost, VERSIONS, type Version } from './nft-host.ts';

const CHILD = fileURLToPath(new URL('nft-docker-user-child.ts', import.meta.url));
const RULE = '-A DOCKER-USER -m mark --mark 0x10000000/0x10000000 -m comment --comment tsnet -j ACCEPT';
const tool = (version: Version, suffix = ''): string =>
  `${version === 4 ? 'iptables' : 'ip6tables'}${suffix}`;

let lab: TestHost;
let nft: Nft;

const call = async (what: 'ensure' | 'remove', ...environment: string[]): Promise<DockerUserOutcome> =>
  JSON.parse(await lab.host.exec('env', ...environment, process.execPath, CHILD, what));

/** What an engine with its iptables backend does, as far as it concerns others. */
async function dockerStarts(suffix = ''): Promise<void> {
  for (const version of VERSIONS) {
    await lab.host.feed(
      '*filter\n:FORWARD DROP\n:DOCKER-USER -\n-A FORWARD -j DOCKER-USER\n-A DOCKER-USER -j RETURN\nCOMMIT\n',
      tool(version, `${suffix}-restore`),
    );
  }
}

const rules = async (version: Version, suffix = ''): Promise<string[]> =>
  (await lab.host.exec(tool(version, suffix), '-S', 'DOCKER-USER')).split('\n');

/** All pairs that a forward policy of DROP can cut off; the first only where br_netfilter shows bridged frames. */
const PAIRS: readonly (readonly [Place, Place])[] = [
  ['a', 'b'],
  ['a', 'lan'],
  ['guest', 'o'],
  ['o', 'guest'],
  ['guest', 'lan'],
];
const passing = (version: Version): Promise<boolean[]> =>
  Promise.all(PAIRS.map(([from, to]) => lab.reaches(from, to, version)));

beforeAll(async () => {
  lab = await TestHost.create();
  nft = lab.host.run(() => Nft.open());
  expect(lab.host.run(() => existsSync('/proc/sys/net/bridge/bridge-nf-call-iptables'))).toBe(true);
  lab.host.sysctl('bridge/bridge-nf-call-iptables', '1');
  lab.host.sysctl('bridge/bridge-nf-call-ip6tables', '1');
}, 30_000);

beforeEach(async () => {
  await nft.run('flush ruleset');
  await nft.run(renderTable(ELEMENTS, undefined));
});

afterAll(async () => {
  await nft.close();
  await lab.down();
});

test('does nothing on a host without Docker', async () => {
  const before = await nft.json('list tables');
  expect(await call('ensure')).toEqual({ changed: false });
  expect(await call('remove')).toEqual({ changed: false });
  expect(await nft.json('list tables')).toEqual(before);
});

describe("with somebody else's FORWARD policy of DROP and no DOCKER-USER", () => {
  const IN_FORWARD = RULE.replace('DOCKER-USER', 'FORWARD');
  const forward = async (version: Version): Promise<string[]> =>
    (await lab.host.exec(tool(version), '-S', 'FORWARD')).split('\n');
  const policy = async (verdict: 'DROP' | 'ACCEPT'): Promise<void> => {
    for (const version of VERSIONS) await lab.host.exec(tool(version), '-P', 'FORWARD', verdict);
  };
  beforeEach(() => policy('DROP'));

  test.each(VERSIONS)('IPv%d of tsnet passes with the rule, and nobody else', async version => {
    expect(await passing(version)).toEqual(PAIRS.map(() => false));
    expect(await call('ensure')).toEqual({ changed: true });
    expect(await call('ensure')).toEqual({ changed: false });
    expect(await forward(version)).toEqual(['-P FORWARD DROP', IN_FORWARD]);
    expect(await passing(version)).toEqual(PAIRS.map(() => true));
    expect(await lab.reaches('lan', 'a', version)).toBe(false);
    expect(await lab.reaches('o', 'lan', version)).toBe(false);
    expect(await call('remove')).toEqual({ changed: true });
    expect(await forward(version)).toEqual(['-P FORWARD DROP']);
  });

  test.each(VERSIONS)('IPv%d goes by DOCKER-USER as soon as there is one', async version => {
    await call('ensure');
    await dockerStarts();
    expect(await call('ensure')).toEqual({ changed: true });
    expect((await forward(version)).filter(rule => rule === IN_FORWARD)).toEqual([]);
    expect(await rules(version)).toContain(RULE);
  });

  test('it goes when the policy does', async () => {
    await call('ensure');
    await policy('ACCEPT');
    expect(await call('ensure')).toEqual({ changed: true });
    expect(await forward(4)).toEqual(['-P FORWARD ACCEPT']);
  });
});

describe('with a Docker of the nft backend', () => {
  beforeEach(() => dockerStarts());

  test.each(VERSIONS)('IPv%d passes with the rule and not without', async version => {
    const none = PAIRS.map(() => false);
    expect(await passing(version)).toEqual(none);
    expect(await call('ensure')).toEqual({ changed: true });
    expect(await passing(version)).toEqual(PAIRS.map(() => true));
    expect(await lab.reaches('lan', 'a', version)).toBe(false);
    expect(await lab.reaches('o', 'lan', version)).toBe(false);
    expect(await call('remove')).toEqual({ changed: true });
    expect(await passing(version)).toEqual(none);
  });

  test('puts the rule at the top once, as iptables itself would write it', async () => {
    await call('ensure');
    expect(await call('ensure')).toEqual({ changed: false });
    for (const version of VERSIONS) {
      expect(await rules(version)).toEqual(['-N DOCKER-USER', RULE, '-A DOCKER-USER -j RETURN']);
    }
  });

  test('puts it there once, however many ask at the same time', async () => {
    const outcomes = JSON.parse(await lab.host.exec(process.execPath, CHILD, 'ensure', '5'));
    expect(outcomes).toEqual([{ changed: true }, ...Array(4).fill({ changed: false })]);
    for (const version of VERSIONS)
      expect(await rules(version)).toEqual(['-N DOCKER-USER', RULE, '-A DOCKER-USER -j RETURN']);
  });

  test('knows the rule after iptables has rewritten it, and among rules that nft cannot read', async () => {
    await call('ensure');
    const user = ['-m', 'hashlimit', '--hashlimit-name', 'x', '--hashlimit-upto', '3/sec', '-j', 'LOG'];
    await lab.host.exec('iptables', '-I', 'DOCKER-USER', ...user);
    await lab.host.feed(await lab.host.exec('iptables-save'), 'iptables-restore');
    expect(await call('ensure')).toEqual({ changed: false });
    expect((await rules(4)).filter(line => line === RULE)).toHaveLength(1);
    expect(await call('remove')).toEqual({ changed: true });
    expect((await rules(4)).filter(line => line === RULE)).toHaveLength(0);
    expect((await rules(4))[1]).toContain('hashlimit');
  });

  test('removes what is there more than once, and leaves the rules of others', async () => {
    const foreign = '-A DOCKER-USER -i eth9 -m mark --mark 0x10000000/0x10000000 -j ACCEPT';
    await lab.host.exec('iptables', ...foreign.split(' '));
    await lab.host.exec('iptables', ...RULE.split(' '));
    await lab.host.exec('iptables', ...RULE.split(' '));
    expect(await call('ensure')).toEqual({ changed: true });
    expect(await rules(4)).toEqual(['-N DOCKER-USER', '-A DOCKER-USER -j RETURN', foreign, RULE]);
  });

  test('does not touch the table of tsnet, nor that the rule of tsnet', async () => {
    await call('ensure');
    expect((await readTable(nft)).skeleton).toBe('intact');
    await nft.run(renderTable([], undefined));
    expect(await call('ensure')).toEqual({ changed: false });
  });
});

// A kernel may lack the old tables, and a distribution the old program.
const hasLegacy = existsSync('/usr/sbin/iptables-legacy') && existsSync('/proc/net/ip_tables_names');

describe('with a Docker of the legacy backend', () => {
  beforeEach(context => {
    if (!hasLegacy) context.skip('no iptables-legacy, or a kernel without its tables');
    // The legacy tables are no part of the nft ruleset, so they stay between these tests.
    return dockerStarts('-legacy');
  });

  test('puts the rule there once and takes it away', async () => {
    expect(await call('ensure')).toEqual({ changed: true });
    expect(await call('ensure')).toEqual({ changed: false });
    for (const version of VERSIONS) {
      expect(await passing(version)).toEqual(PAIRS.map(() => true));
      expect(await rules(version, '-legacy')).toEqual(['-N DOCKER-USER', RULE, '-A DOCKER-USER -j RETURN']);
      await lab.host.exec(tool(version, '-legacy'), ...RULE.split(' '));
    }
    expect(await call('ensure')).toEqual({ changed: true });
    expect(await call('remove')).toEqual({ changed: true });
    for (const version of VERSIONS) {
      expect(await rules(version, '-legacy')).toEqual(['-N DOCKER-USER', '-A DOCKER-USER -j RETURN']);
      expect(await passing(version)).toEqual(PAIRS.map(() => false));
    }
  });

  test('says so when the program is missing', async () => {
    const outcome = await call('ensure', 'PATH=/nonexistent');
    expect(outcome.changed).toBe(false);
    expect(outcome.problem).toMatch(/iptables-legacy.*ENOENT/s);
  });
});
