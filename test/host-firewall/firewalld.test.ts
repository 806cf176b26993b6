import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Firewalld } from '../../src/host-firewall/firewalld.ts';
import { activeZones, chooseZone } from '../../src/host-firewall/firewalld-zones.ts';

vi.mock('execa', async original => {
  const real = await original<typeof import('execa')>();
  return { ...real, execa: vi.fn(real.execa) };
});

const PATH = process.env['PATH'] ?? '';
let dir: string;
let bridges: string[];
let firewalld: Firewalld;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tsnet-firewalld-'));
  symlinkSync(join(import.meta.dirname, 'fake-firewall-cmd.sh'), join(dir, 'firewall-cmd'));
  mkdirSync(join(dir, 'zones'));
  for (const zone of ['docker', 'public', 'trusted']) put(zone);
  process.env['PATH'] = `${dir}:${PATH}`;
  process.env['FAKE_FIREWALLD'] = dir;
  bridges = [];
  firewalld = new Firewalld(() => bridges);
});
afterEach(() => {
  process.env['PATH'] = PATH;
  delete process.env['FAKE_FIREWALLD'];
  rmSync(dir, { recursive: true });
});

const put = (zone: string, ...links: string[]) =>
  writeFileSync(join(dir, 'zones', zone), links.map(link => `${link}\n`).join(''));
const linksOf = (zone: string) =>
  readFileSync(join(dir, 'zones', zone), 'utf8')
    .split('\n')
    .filter(link => link !== '');
const calls = (): number => readFileSync(join(dir, 'calls'), 'utf8').trimEnd().split('\n').length;

describe('bridges under firewalld', () => {
  it('are no matter where it is not installed, for which no process is started', async () => {
    bridges = ['tsb1'];
    vi.mocked(execa).mockClear();
    for (const path of ['/var/empty', '', `/var/empty:${join(dir, 'zones')}`]) {
      process.env['PATH'] = path;
      expect(await firewalld.settle()).toEqual({ bound: [], released: [] });
    }
    expect(execa).not.toHaveBeenCalled();
    process.env['PATH'] = `/var/empty:${dir}:${PATH}`;
    expect((await firewalld.settle()).bound).toEqual(['tsb1']);
  });

  it('get into the zone of the engine, in one call for all of them, and once', async () => {
    put('docker', 'docker0');
    bridges = ['tsb1', 'tsb2'];
    expect(await firewalld.settle()).toEqual({ bound: ['tsb1', 'tsb2'], released: [] });
    expect(linksOf('docker')).toEqual(['docker0', 'tsb1', 'tsb2']);
    expect(calls()).toBe(2);
    expect(await firewalld.settle()).toEqual({ bound: [], released: [] });
    expect(calls()).toBe(3);
  });

  it('get into it also where no bridge of the engine is there yet', async () => {
    bridges = ['tsb1'];
    await firewalld.settle();
    expect(linksOf('docker')).toEqual(['tsb1']);
  });

  it('get into the trusted zone where the engine has made none', async () => {
    rmSync(join(dir, 'zones/docker'));
    bridges = ['tsb1'];
    expect(await firewalld.settle()).toEqual({ bound: ['tsb1'], released: [] });
    expect(linksOf('trusted')).toEqual(['tsb1']);
  });

  it('stay where somebody has put them', async () => {
    put('public', 'tsb1');
    bridges = ['tsb1'];
    expect(await firewalld.settle()).toEqual({ bound: [], released: [] });
    bridges = [];
    await firewalld.settle();
    expect(linksOf('public')).toEqual(['tsb1']);
  });

  it('get there again after a reload', async () => {
    bridges = ['tsb1'];
    await firewalld.settle();
    put('docker', 'docker0');
    expect(await firewalld.settle()).toEqual({ bound: ['tsb1'], released: [] });
    expect(linksOf('docker')).toEqual(['docker0', 'tsb1']);
  });

  it('are forgotten when they are gone, and nobody else is', async () => {
    put('docker', 'docker0', 'br-else');
    bridges = ['tsb1', 'tsb2'];
    await firewalld.settle();
    bridges = ['tsb2'];
    expect(await firewalld.settle()).toEqual({ bound: [], released: ['tsb1'] });
    bridges = [];
    expect(await firewalld.settle()).toEqual({ bound: [], released: ['tsb2'] });
    expect(linksOf('docker')).toEqual(['docker0', 'br-else']);
    const before = calls();
    expect(await firewalld.settle()).toEqual({ bound: [], released: [] });
    expect(calls()).toBe(before);
  });

  it('are forgotten even if they were bound before this daemon', async () => {
    put('docker', 'docker0', 'tsb1');
    bridges = ['tsb1'];
    await firewalld.settle();
    bridges = [];
    expect(await firewalld.settle()).toEqual({ bound: [], released: ['tsb1'] });
  });

  it('are settled one after the other', async () => {
    bridges = ['tsb1'];
    const outcomes = await Promise.all([firewalld.settle(), firewalld.settle(), firewalld.settle()]);
    expect(outcomes.map(outcome => outcome.bound)).toEqual([['tsb1'], [], []]);
  });

  it('are left alone where firewalld does not run, and bound when it does', async () => {
    bridges = ['tsb1'];
    writeFileSync(join(dir, 'stopped'), '');
    expect(await firewalld.settle()).toEqual({ bound: [], released: [] });
    rmSync(join(dir, 'stopped'));
    expect(await firewalld.settle()).toEqual({ bound: ['tsb1'], released: [] });
  });

  it('are left alone where there is no firewall-cmd', async () => {
    process.env['PATH'] = dir;
    rmSync(join(dir, 'firewall-cmd'));
    bridges = ['tsb1'];
    expect(await firewalld.settle()).toEqual({ bound: [], released: [] });
  });

  it('that it refuses are told of', async () => {
    bridges = ['tsb1', 'tsb1'];
    const outcome = await firewalld.settle();
    expect(outcome).toMatchObject({ bound: [], released: [] });
    expect(outcome.problem).toContain('ZONE_CONFLICT');
  });
});

describe('what firewall-cmd says', () => {
  it('of zones with links, with sources, with both, and of the default', () => {
    const output = [
      'docker',
      '  interfaces: docker0 tsb1',
      'drop',
      '  sources: 192.0.2.0/24',
      'public (default)',
      '  interfaces: eth0',
      '  sources: 198.51.100.0/24',
      '',
    ];
    expect([...activeZones(output.join('\n'))]).toEqual([
      ['docker', ['docker0', 'tsb1']],
      ['drop', []],
      ['public', ['eth0']],
    ]);
    expect([...activeZones('')]).toEqual([]);
  });

  it('of the zones that there are', () => {
    expect(chooseZone('block docker public trusted\n')).toBe('docker');
    expect(chooseZone('block docker-eng public trusted\n')).toBe('trusted');
    expect(chooseZone('block public\n')).toBeUndefined();
  });
});
