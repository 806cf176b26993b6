import { execa, execaSync } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type KernelEvent, type MonitorGroup, type WatchOptions, watch } from '../../src/kernel/monitor.ts';
import { type TestNamespace, testNamespace } from './namespace.ts';
import { waitFor } from './wait-for.ts';

async function watched(options: Partial<WatchOptions> & { groups: readonly MonitorGroup[] }) {
  const ns: TestNamespace = await testNamespace();
  const events: KernelEvent[] = [];
  const monitor = watch({ ...options, netnsPath: ns.path }, event => events.push(event));
  onTestFinished(async () => {
    await monitor.close();
    await ns[Symbol.asyncDispose]();
  });
  const seen = (what: string, expected: object) =>
    waitFor(what, () => events.some(event => matches(event, expected)));
  return { ns, events, monitor, seen };
}

const matches = (event: KernelEvent, expected: object): boolean => {
  try {
    expect(event).toMatchObject(expected);
    return true;
  } catch {
    return false;
  }
};

describe('the monitor', () => {
  it('reports links that come, change and go', async () => {
    const { ns, events, seen } = await watched({ groups: ['link'] });
    await ns.ip('link', 'add', 'tb0', 'type', 'bridge');
    await seen('creation', { kind: 'link', change: 'set', link: { name: 'tb0', kind: 'bridge', up: false } });
    await ns.ip('link', 'set', 'tb0', 'alias', 'tsnet:x', 'up');
    await seen('change', { change: 'set', link: { name: 'tb0', alias: 'tsnet:x', up: true } });
    await ns.ip('link', 'del', 'tb0');
    await seen('deletion', { kind: 'link', change: 'removed', link: { name: 'tb0', alias: 'tsnet:x' } });
    expect(new Set(events.map(event => event.kind))).toEqual(new Set(['link']));
  });

  it('does not take a port that leaves its bridge for a link that goes', async () => {
    const { ns, events, seen } = await watched({ groups: ['link'] });
    await ns.sh(`ip link add tb0 type bridge; ip link add tv0 master tb0 type veth peer name tv0p
      ip link set tv0 nomaster; ip link set tv0 mtu 1234`);
    await seen('the last change', { change: 'set', link: { name: 'tv0', mtu: 1234 } });
    expect(events.filter(event => event.kind === 'link' && event.change === 'removed')).toEqual([]);
  });

  it('reports that a namespace is gone in which a link was, although nothing is said of the link', async () => {
    const { ns, events, seen } = await watched({ groups: ['link', 'namespace'] });
    const other = await testNamespace();
    const pid = /\d+/.exec(other.path)?.[0] ?? '';
    await ns.ip('link', 'add', 'tb0', 'type', 'bridge');
    await ns.ip('link', 'add', 'tm0', 'link', 'tb0', 'type', 'macvlan');
    await ns.ip('link', 'set', 'tm0', 'netns', pid);
    await seen('the link to leave', { kind: 'link', change: 'removed', link: { name: 'tm0' } });
    events.length = 0;
    await other[Symbol.asyncDispose]();
    await seen('the namespace to go', { kind: 'namespace', change: 'removed' });
    expect(events.filter(event => event.kind === 'link' && event.link.name === 'tm0')).toEqual([]);
  });

  it('reports addresses, routes and neighbours of both families', async () => {
    const { ns, seen } = await watched({ groups: ['address', 'route', 'neighbour'] });
    await ns.sh('ip link add tv0 type veth peer name tv0p; ip link set tv0 up; ip link set tv0p up');
    for (const [address, host] of [
      ['198.18.0.1/24', '198.18.0.77'],
      ['2001:db8::1/64', '2001:db8::77'],
    ] as const) {
      const [route, bits] = [`${host}/${host.includes(':') ? 128 : 32}`, host.includes(':') ? ['-6'] : []];
      for (const [verb, change] of [
        ['add', 'set'],
        ['del', 'removed'],
      ] as const) {
        const inOrder = [
          () => ns.ip('addr', verb, address, 'dev', 'tv0'),
          () => ns.ip(...bits, 'route', verb, route, 'dev', 'tv0'),
          () => ns.ip('neigh', verb, host, 'lladdr', '02:42:00:00:00:05', 'dev', 'tv0'),
        ];
        for (const step of verb === 'add' ? inOrder : inOrder.toReversed()) await step();
        await seen('address', { kind: 'address', change, address: { address } });
        await seen('route', { kind: 'route', change, route: { destination: route } });
        await seen('neighbour', { kind: 'neighbour', neighbour: { address: host } });
      }
    }
  });

  it('says when events were lost, and goes on', async () => {
    const { ns, events, seen } = await watched({ groups: ['address'], queue: 4096 });
    const lines = Array.from({ length: 500 }, (_, i) => `addr add 198.18.${i >> 8}.${i & 255}/32 dev lo`);
    // Synchronous, so that nothing is fetched meanwhile.
    execaSync('nsenter', [`--net=${ns.path}`, 'ip', '-batch', '-'], { input: lines.join('\n') });
    await seen('overrun', { kind: 'overrun' });
    const before = events.length;
    expect(before).toBeLessThan(500);
    await ns.ip('addr', 'add', '198.18.200.1/32', 'dev', 'lo');
    await seen('a later event', { kind: 'address', address: { address: '198.18.200.1/32' } });
  });

  it('loses nothing of a storm with the usual queue', async () => {
    const { ns, events } = await watched({ groups: ['address'] });
    const lines = Array.from({ length: 2000 }, (_, i) => `addr add 198.18.${i >> 8}.${i & 255}/32 dev lo`);
    execaSync('nsenter', [`--net=${ns.path}`, 'ip', '-batch', '-'], { input: lines.join('\n') });
    await waitFor('2000 events', () => events.length >= 2000);
    expect(events.every(event => event.kind === 'address')).toBe(true);
  });

  it('reports nothing after close, which may be called twice', async () => {
    const { ns, events, monitor } = await watched({ groups: ['link'] });
    await Promise.all([monitor.close(), monitor.close()]);
    await ns.ip('link', 'add', 'tb0', 'type', 'bridge');
    await monitor.close();
    expect(events).toEqual([]);
  });

  it('refuses a bad path', () => {
    const open = () => watch({ groups: ['link'], netnsPath: '/nowhere' }, () => undefined);
    expect(open).toThrow(expect.objectContaining({ name: 'NamespaceError', problem: 'missing' }));
  });
});

describe('a process with a monitor', () => {
  const module = new URL('../../src/kernel/monitor.ts', import.meta.url).pathname;
  const run = (rest: string) => {
    const script = `import { watch } from ${JSON.stringify(module)};
      const monitor = watch({ groups: ['link'] }, () => undefined);\n${rest}`;
    return execa(process.execPath, ['--input-type=module', '-e', script], { timeout: 10_000, reject: false });
  };

  it('ends by itself after close', async () => {
    expect(await run('await monitor.close();')).toMatchObject({ exitCode: 0, timedOut: false });
  });

  it('can exit without close', async () => {
    expect(await run('setImmediate(() => process.exit(7));')).toMatchObject({ exitCode: 7, timedOut: false });
  });

  it('can fail without close', async () => {
    const result = await run('setImmediate(() => { throw new Error("boom"); });');
    expect(result).toMatchObject({ exitCode: 1, timedOut: false });
    expect(result.stderr).toContain('boom');
  });
});
