import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import {
  answers,
  inContainer,
  ipJson,
  macOf,
  reaches,
  shims,
  startContainer,
  wipe,
} from './support/macvlan-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

/** The second segment, so that the host keeps its first card for itself. */
const SEGMENT = ['--subnet', '198.18.1.0/24', '--gateway', '198.18.1.1', '-o', 'parent=eth1'];

describe.each(ENGINES)('macvlan modes and isolated segments, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }], nics: 2 });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
  });
  afterEach(() => wipe(host));
  afterAll(() => lab?.destroy());

  const create = (name: string, ...options: string[]) =>
    host.docker('network', 'create', '-d', 'tsnet', ...options, name);
  const inside = (container: string) => ({ on: host, container });
  /** The switch sends frames back out of the port they came in by, as vepa needs of it. */
  const hairpin = (state: 'on' | 'off') =>
    lab.lan.exec('bridge', ['link', 'set', 'dev', 'h1n1', 'hairpin', state]);

  it('bridge: containers reach each other, though the switch reflects nothing', async () => {
    await create('m', ...SEGMENT, '-o', 'macvlan_mode=bridge');
    const [c1, c2] = [await startContainer(host, 'c1', 'm'), await startContainer(host, 'c2', 'm')];
    await reaches(inside('c1'), c2.address4);
    await reaches(inside('c2'), c1.address4);
    await reaches(lab.lan, c1.address4);
    await reaches(host.host, c2.address4);
  });

  it('private: containers reach the LAN and never each other', async () => {
    await create('m', ...SEGMENT, '-o', 'macvlan_mode=private');
    const [c1, c2] = [await startContainer(host, 'c1', 'm'), await startContainer(host, 'c2', 'm')];
    await hairpin('on');
    try {
      await reaches(inside('c1'), '198.18.1.1');
      await reaches(lab.lan, c2.address4);
      expect(await answers(inside('c1'), c2.address4)).toBe(false);
      expect(await answers(inside('c2'), c1.address4)).toBe(false);
      expect(await shims(host)).toEqual([]);
    } finally {
      await hairpin('off');
    }
  });

  it('vepa: containers reach each other by way of a switch that reflects, and only so', async () => {
    await create('m', ...SEGMENT, '-o', 'macvlan_mode=vepa');
    const [c1, c2] = [await startContainer(host, 'c1', 'm'), await startContainer(host, 'c2', 'm')];
    await reaches(lab.lan, c1.address4);
    expect(await answers(inside('c1'), c2.address4)).toBe(false);
    await hairpin('on');
    try {
      await reaches(inside('c1'), c2.address4);
      expect(await shims(host)).toEqual([]);
    } finally {
      await hairpin('off');
    }
  });

  it("passthru: one container, with the parent's MAC", async () => {
    const parent = await macOf(host.host, 'eth1');
    await create('m', ...SEGMENT, '-o', 'macvlan_mode=passthru');
    const c1 = await startContainer(host, 'c1', 'm');
    expect(await host.docker('exec', 'c1', 'cat', '/sys/class/net/eth0/address')).toBe(parent);
    expect(c1.mac).toBe(parent);
    await reaches(lab.lan, c1.address4);
    await reaches(inside('c1'), '198.18.1.1');

    const second = await host.refused(
      'run',
      '-d',
      '--name',
      'c2',
      '--network',
      'm',
      'busybox',
      'sleep',
      '1d',
    );
    expect(second).toContain('PARENT_BUSY');
    expect(second).toContain(c1.address4);
    const other = await host.refused(
      'network',
      'create',
      '-d',
      'tsnet',
      ...SEGMENT.slice(4),
      '--subnet',
      '198.19.1.0/24',
      'n',
    );
    expect(other).toMatch(
      /PARENT_BUSY: parent eth1 is used by network (m|[0-9a-f]{12}), and passthru admits one/,
    );

    // The place is free again once its holder has gone, and the parent is as it was.
    await host.docker('rm', '-f', 'c1', 'c2');
    expect(await macOf(host.host, 'eth1')).toBe(parent);
    const c3 = await startContainer(host, 'c3', 'm');
    await reaches(lab.lan, c3.address4);
    await host.docker('rm', '-f', 'c3');
    await host.docker('network', 'rm', 'm');
    expect(await macOf(host.host, 'eth1')).toBe(parent);
    const [link] = await ipJson(host.host, '-d', 'link', 'show', 'dev', 'eth1');
    expect(link?.['promiscuity']).toBe(0);
    await reaches(host.host, '198.18.1.1');
  });

  it('refuses passthru on a parent that another network uses', async () => {
    await create('m', ...SEGMENT);
    const refused = await host.refused(
      ...['network', 'create', '-d', 'tsnet', '--subnet', '198.19.1.0/24', '-o', 'parent=eth1'],
      ...['-o', 'macvlan_mode=passthru', 'n'],
    );
    expect(refused).toContain('PARENT_BUSY');
    expect(await host.docker('network', 'ls', '-q', '-f', 'name=^n$')).toBe('');
  });

  it.each([
    ['without a parent', ['--subnet', '198.19.5.0/24', '-o', 'mode=macvlan']],
    ['with --internal', ['--subnet', '198.19.5.0/24', '--internal', '-o', 'parent=eth0']],
  ])('makes an isolated segment %s', async (_what, options) => {
    await create('alone', ...options);
    const c1 = await startContainer(host, 'c1', 'alone');
    const c2 = await startContainer(host, 'c2', 'alone');
    await reaches(inside('c1'), c2.address4);
    await reaches(inside('c2'), 'c1');
    for (const address of ['198.18.0.1', host.host.address]) {
      expect(await answers(inside('c1'), address), address).toBe(false);
    }
    expect(await host.docker('exec', 'c1', 'ip', 'route')).not.toContain('default');
    // No second way out, such as the engine's docker_gwbridge.
    expect((await host.docker('exec', 'c1', 'ls', '/sys/class/net')).split(/\s+/).sort()).toEqual([
      'eth0',
      'lo',
    ]);
    expect(await shims(host)).toEqual([]);
    expect((await host.links()).map(name => name.slice(0, 3))).toEqual(['tsd']);
    expect(await answers(host.host, c1.address4)).toBe(false);
  });

  it('keeps two isolated segments apart, even with the host as a router', async () => {
    await create('one', '--subnet', '198.19.5.0/24', '-o', 'mode=macvlan');
    await create('two', '--subnet', '198.19.6.0/24', '-o', 'mode=macvlan');
    await startContainer(host, 'c1', 'one');
    const c2 = await startContainer(host, 'c2', 'two');
    await inContainer(host, 'c1', 'ip', 'route', 'add', 'default', 'dev', 'eth0');
    expect(await answers(inside('c1'), c2.address4)).toBe(false);
    expect(await answers(inside('c1'), host.host.address)).toBe(false);
  });

  it('holds an isolated segment to the MTU that is asked for', async () => {
    await create('alone', '--subnet', '198.19.5.0/24', '-o', 'mode=macvlan', '-o', 'mtu=9000');
    await startContainer(host, 'c1', 'alone');
    const c2 = await startContainer(host, 'c2', 'alone');
    expect(await host.docker('exec', 'c1', 'cat', '/sys/class/net/eth0/mtu')).toBe('9000');
    await host.docker('exec', 'c1', 'ping', '-c', '1', '-W', '1', '-s', '8972', c2.address4);
  });

  it('takes a bridge of the host as a parent', async () => {
    await host.host.sh(
      'ip link add lanbr type bridge; ip link set lanbr up; ip addr add 198.19.7.1/24 dev lanbr',
    );
    try {
      await create(
        'onbridge',
        '--subnet',
        '198.19.7.0/24',
        '--gateway',
        '198.19.7.254',
        '-o',
        'parent=lanbr',
      );
      const c1 = await startContainer(host, 'c1', 'onbridge');
      const c2 = await startContainer(host, 'c2', 'onbridge');
      await reaches(inside('c1'), c2.address4);
      await reaches(host.host, c1.address4);
      await reaches(inside('c1'), '198.19.7.1');
      await wipe(host);
    } finally {
      await host.host.exec('ip', ['link', 'del', 'lanbr']);
    }
  });
});
