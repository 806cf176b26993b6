import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guardVersion } from '../../src/firewall/guard.ts';
import { diff } from '../../src/host-state/diff.ts';
import type { Op } from '../../src/host-state/ops.ts';
import {
  EMPTY,
  type FirewallElement,
  type Guard,
  type HostState,
  type PortHold,
} from '../../src/host-state/types.ts';
import { Advertiser } from '../../src/kernel/advertise/advertiser.ts';
import { apply } from '../../src/kernel/apply.ts';
import { Conntrack } from '../../src/kernel/conntrack/conntrack.ts';
import { FlowSweeper } from '../../src/kernel/conntrack/sweeper.ts';
import { readFacts } from '../../src/kernel/facts.ts';
import { Nft } from '../../src/kernel/nft/nft.ts';
import { observe } from '../../src/kernel/observe.ts';
import { PortHolds } from '../../src/kernel/ports/port-holds.ts';
import { Reaper } from '../../src/kernel/rtnetlink/reaper.ts';
import { Rtnetlink } from '../../src/kernel/rtnetlink/rtnetlink.ts';
import type { Ways } from '../../src/kernel/steps/step.ts';
import { type NftNamespace, nftNamespace } from './nft-namespace.ts';

/** Ports are held in the namespace of the process: on its loopback, chosen by the kernel. */
const LOOPBACK = '127.0.0.1';
let host: NftNamespace;
let sandbox: NftNamespace;
let ways: Ways;
let conntrack: Conntrack;
/** Of what is done in the background. */
let failures: unknown[];
let hold: PortHold;

beforeEach(async () => {
  [host, sandbox] = await Promise.all([nftNamespace(), nftNamespace()]);
  const holds = new PortHolds();
  [hold] = holds.hold({ protocol: 'tcp', addresses: [LOOPBACK], port: 0, owner: 'e1' }) as [PortHold];
  await holds.delete(hold);
  conntrack = new Conntrack(host.path);
  failures = [];
  const rtnetlink = Rtnetlink.open(host.path);
  ways = {
    rtnetlink,
    advertiser: new Advertiser(error => failures.push(error)),
    reaper: new Reaper(rtnetlink, error => failures.push(error)),
    nft: host.run(() => Nft.open()),
    holds,
    flows: new FlowSweeper(conntrack, error => failures.push(error)),
  };
});
afterEach(async () => {
  ways.advertiser.close();
  await Promise.all([ways.flows.settled(), ways.reaper.settled(), ways.advertiser.settled()]);
  ways.rtnetlink.close();
  conntrack.close();
  expect(failures).toEqual([]);
  await ways.nft.close();
  await ways.holds.close();
  await host[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
});

const GUARD: Guard = {
  rules: [{ family: 4, action: 'allow', protocol: 'tcp', ports: [[80, 80]] }],
  otherwise: { 4: 'deny', 6: 'deny' },
};

const desired = (): HostState => ({
  ...EMPTY,
  links: [
    { kind: 'bridge', name: 'tsb0', alias: 'tsnet:n1', up: true },
    {
      kind: 'veth',
      name: 'tsv0',
      alias: 'tsnet:n1:e1',
      up: true,
      peer: { name: 'tsc0' },
      master: 'tsb0',
      hairpin: true,
    },
  ],
  addresses: [{ link: 'tsb0', address: '198.18.0.1/24' }],
  routes: [{ link: 'tsb0', destination: '198.18.9.0/24' }],
  firewall: [
    { set: 'bridges', key: ['tsb0'] },
    { set: 'publish4', key: ['tcp', '8080'], value: ['198.18.0.2', '80'] },
  ],
  guard: GUARD,
  holds: [hold],
  redirects: [
    {
      sandbox: sandbox.path,
      endpointId: 'e1',
      rules: [{ protocol: 'tcp', address: '198.18.0.2', from: 80, to: 8080 }],
    },
  ],
  residents: ['198.18.0.2'],
});

const bring = async (to: HostState): Promise<readonly Op[]> => {
  const ops = diff(to, await observe(ways, to));
  await apply(ways, ops, { context: 'network web' });
  return ops;
};
const names = (ops: readonly Op[]) => [...new Set(ops.map(op => op.op))];

describe('apply and observe', () => {
  it('agree: what was applied is observed, so that nothing is left to do', async () => {
    const to = desired();
    await bring(to);
    const observed = await observe(ways, to);
    expect(diff(to, observed)).toEqual([]);
    expect(observed).toMatchObject({ guard: GUARD, holds: [hold], redirects: to.redirects });
  });

  it('remove all of it again', async () => {
    const to = desired();
    await bring(to);
    // Nobody desires the redirect any more, so that only whoever made it knows of it.
    const there = { ...(await observe(ways, to)), residents: to.residents };
    const ops = diff(EMPTY, there);
    expect(names(ops)).toEqual(
      expect.arrayContaining(['redirect.delete', 'link.delete', 'hold.delete', 'flows.forget']),
    );
    await apply(ways, ops, { context: 'network web' });
    const left = await observe(ways, { ...EMPTY, redirects: to.redirects });
    expect(left).toEqual({ ...EMPTY, firewallIntact: true });
  });

  it('take elements out also where somebody has taken one out already', async () => {
    const element = (port: string): FirewallElement => ({
      set: 'publish4',
      key: ['tcp', port],
      value: ['198.18.0.2', '80'],
    });
    const [kept, ...gone] = ['8079', '8080', '8081'].map(element);
    await bring({ ...EMPTY, firewall: [kept as FirewallElement, ...gone] });
    await host.exec('nft', 'delete', 'element', 'inet', 'tsnet', 'publish4', '{ tcp . 8080 }');
    await apply(ways, [{ op: 'firewall', add: [], delete: gone }], { context: 'container web' });
    expect((await observe(ways, EMPTY)).firewall).toEqual([kept]);
  });

  it('hold a thousand ports, and give them back, without keeping the event loop', async () => {
    const many = Array.from({ length: 1000 }, (_, number) => ({ ...hold, port: 20_000 + number }));
    const turnsOf = async (ops: readonly Op[]) => {
      let turns = 0;
      let isOver = false;
      const turn = () => {
        turns += 1;
        if (!isOver) setImmediate(turn);
      };
      setImmediate(turn);
      await apply(ways, ops, { context: 'container web', teardown: true });
      isOver = true;
      return turns;
    };
    const add = many.map((one): Op => ({ op: 'hold.add', hold: one }));
    expect(await turnsOf(add)).toBeGreaterThanOrEqual(19);
    expect(ways.holds.list()).toHaveLength(1000);
    const remove = many.map((one): Op => ({ op: 'hold.delete', hold: one }));
    expect(await turnsOf(remove)).toBeGreaterThanOrEqual(19);
    expect(ways.holds.list()).toEqual([]);
  });

  it('see what was changed by hand, and mend it', async () => {
    const to = desired();
    await bring(to);
    await host.batch('link set tsv0 type bridge_slave hairpin off');
    await ways.holds.delete(hold);
    await sandbox.exec('nft', 'flush', 'ruleset');
    expect(names(await bring(to))).toEqual(['hold.add', 'redirect.set', 'link.set']);
    expect(diff(to, await observe(ways, to))).toEqual([]);
  });

  it('replace the guard alone', async () => {
    await bring(desired());
    const guard: Guard = { ...GUARD, otherwise: { 4: 'allow', 6: 'deny' } };
    expect(guardVersion(guard)).not.toBe(guardVersion(GUARD));
    const to = { ...desired(), guard };
    expect((await observe(ways, to)).guard).toBeUndefined();
    expect(names(await bring(to))).toEqual(['firewall.guard']);
    expect((await observe(ways, to)).guard).toEqual(guard);
    const { guard: _, ...without } = to;
    expect(names(await bring(without))).toEqual(['firewall.guard']);
    expect(names(await bring(without))).toEqual([]);
  });

  it('do not see routes of tsnet’s number in other tables', async () => {
    await bring(desired());
    await host.exec('ip', 'route', 'add', '198.18.10.0/24', 'dev', 'tsb0', 'table', '100', 'proto', '116');
    expect(diff(desired(), await observe(ways, desired()))).toEqual([]);
  });
});

describe('a port that is taken', () => {
  const rest: Op = { op: 'link.add', link: { kind: 'bridge', name: 'tsb1', alias: 'tsnet:n2', up: true } };
  const exists = async () => (await ways.rtnetlink.link('tsb1')) !== undefined;
  let server: ReturnType<typeof createServer>;
  beforeEach(() => {
    server = createServer();
    return new Promise<void>(resolve => server.listen(hold.port, LOOPBACK, resolve));
  });
  afterEach(() => new Promise(resolve => server.close(resolve)));

  it('ends a forward change', async () => {
    const change = apply(ways, [{ op: 'hold.add', hold }, rest], { context: 'container web' });
    await expect(change).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      what: expect.stringContaining('(container web)'),
    });
    expect(await exists()).toBe(false);
  });

  it('does not keep a restore from the rest', async () => {
    const restore = apply(ways, [{ op: 'hold.add', hold }, rest], { context: 'restore', teardown: true });
    await expect(restore).rejects.toMatchObject({ code: 'PORT_TAKEN' });
    expect(await exists()).toBe(true);
    expect((await observe(ways, desired())).holds).toEqual([]);
  });
});

describe('facts', () => {
  it.each([
    ['has the guard that was asked for', async () => GUARD, GUARD],
    ['has none where the host has none', async () => undefined, undefined],
    ['has none that was not asked for', undefined, undefined],
  ])('%s', async (_, read, guard) => {
    expect((await readFacts(ways.rtnetlink, [], read)).guard).toEqual(guard);
  });
});
