import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readGuard } from '../../src/host-firewall/ufw.ts';
import { UfwWatch } from '../../src/host-firewall/ufw-watch.ts';

let root: string;
let watch: UfwWatch | undefined;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tsnet-ufw-'));
  cpSync(join(import.meta.dirname, 'fixtures/ufw'), root, { recursive: true });
});
afterEach(() => {
  watch?.close();
  watch = undefined;
  rmSync(root, { recursive: true });
});

const inRoot = (path: string) => join(root, path);
const edit = (path: string, from: RegExp, to: string) =>
  writeFileSync(inRoot(path), readFileSync(inRoot(path), 'utf8').replace(from, to));
const withoutUfw = () => rmSync(inRoot('etc/ufw'), { recursive: true });

describe('the files of ufw', () => {
  it('are read', async () => {
    const guard = await readGuard(root);
    expect(guard?.rules[0]).toEqual({ family: 4, action: 'deny', protocol: 'tcp', ports: [[8093, 8093]] });
    expect(guard?.rules.at(-1)).toEqual({ family: 6, action: 'allow', link: 'eth0' });
    expect(guard?.otherwise).toEqual({ 4: 'deny', 6: 'deny' });
  });

  it('say nothing while ufw is not enabled', async () => {
    edit('etc/ufw/ufw.conf', /ENABLED=yes/, 'ENABLED=no');
    expect(await readGuard(root)).toBeUndefined();
  });

  it('may lack the rules: then the default policy is for all', async () => {
    rmSync(inRoot('etc/ufw/user.rules'));
    rmSync(inRoot('etc/ufw/user6.rules'));
    expect(await readGuard(root)).toEqual({ rules: [], otherwise: { 4: 'deny', 6: 'deny' } });
  });

  it('are missed where there is no ufw', async () => {
    withoutUfw();
    await expect(readGuard(root)).rejects.toMatchObject({ code: 'UFW_MISSING' });
    writeFileSync(inRoot('etc/ufw'), '');
    await expect(readGuard(root)).rejects.toMatchObject({ code: 'UFW_MISSING' });
  });
});

/** Starts watching, does it, and returns how often it was told of within `ms` from the first time on. */
async function reportsOf(action: () => void | Promise<void>, ms = 150): Promise<number> {
  let reports = 0;
  const first = Promise.withResolvers<void>();
  watch = new UfwWatch({
    root,
    onChange: () => {
      reports += 1;
      first.resolve();
    },
  });
  await action();
  await Promise.race([first.promise, delay(400)]);
  await delay(ms);
  return reports;
}

describe('a watch of ufw', () => {
  it.each<[string, () => void]>([
    ['rules', () => edit('etc/ufw/user.rules', /8093/, '8094')],
    ['IPv6 rules', () => edit('etc/ufw/user6.rules', /8093/, '8094')],
    ['ufw enable and disable', () => edit('etc/ufw/ufw.conf', /yes/, 'no')],
    ['the default policy', () => edit('etc/default/ufw', /DROP/, 'ACCEPT')],
    ['the removal of ufw', withoutUfw],
  ])('tells once of a change of %s', async (_, change) => {
    expect(await reportsOf(change)).toBe(1);
  });

  it('tells once of a whole command of ufw', async () => {
    const command = () => {
      edit('etc/ufw/user.rules', /8093/, '8094');
      edit('etc/ufw/user6.rules', /8093/, '8094');
      edit('etc/ufw/ufw.conf', /yes/, 'no');
    };
    expect(await reportsOf(command)).toBe(1);
  });

  it('does not tell of files that hold no rules for it', async () => {
    const other = () => {
      writeFileSync(inRoot('etc/ufw/before.rules'), '*filter\n');
      writeFileSync(inRoot('etc/default/grub'), '');
      writeFileSync(inRoot('etc/hosts'), '');
    };
    expect(await reportsOf(other, 0)).toBe(0);
  });

  it('sees ufw come, and go, and come again', async () => {
    withoutUfw();
    let told = Promise.withResolvers<void>();
    watch = new UfwWatch({ root, onChange: () => told.resolve() });
    const reported = async (change: () => void) => {
      told = Promise.withResolvers();
      change();
      await told.promise;
    };
    for (const _ of [1, 2]) {
      await reported(() => mkdirSync(inRoot('etc/ufw')));
      await reported(() => writeFileSync(inRoot('etc/ufw/user.rules'), ''));
      await reported(() => edit('etc/ufw/user.rules', /$/, '\n'));
      await reported(withoutUfw);
    }
    await expect(readGuard(root)).rejects.toMatchObject({ code: 'UFW_MISSING' });
  });

  it('tells of nothing after its end', async () => {
    expect(
      await reportsOf(() => {
        edit('etc/ufw/user.rules', /8093/, '8094');
        watch?.close();
      }, 0),
    ).toBe(0);
  });
});
