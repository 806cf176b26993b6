import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSysctl, writeSysctl } from '../../src/kernel/sysctl.ts';
import { testNamespace } from './namespace.ts';

describe('sysctl', () => {
  it('reads values, and undefined for what there is none of', async () => {
    const release = await readFile('/proc/sys/kernel/osrelease', 'utf8');
    expect(readSysctl('kernel/osrelease')).toBe(release.trim());
    expect(readSysctl('net/ipv4/conf/not.there/rp_filter')).toBeUndefined();
  });

  it('writes values of the network namespace it runs in, for links with dots as well', async () => {
    await using ns = await testNamespace();
    await ns.ip('link', 'add', 'tb0.5', 'type', 'bridge');
    const module = new URL('../../src/kernel/sysctl.ts', import.meta.url).pathname;
    const path = 'net/ipv4/conf/tb0.5/arp_filter';
    const script = `import { readSysctl, writeSysctl } from ${JSON.stringify(module)};
      await writeSysctl('${path}', '1');
      process.stdout.write(await readSysctl('${path}'));`;
    const args = [`--net=${ns.path}`, process.execPath, '--input-type=module', '-e', script];
    expect((await execa('nsenter', args)).stdout).toBe('1');
  });

  it('writes below another place where /proc/sys is read-only, in the namespace that is entered as well', async () => {
    await using own = await testNamespace();
    await using sandbox = await testNamespace();
    const parameter = 'net/ipv4/conf/lo/arp_filter';
    const source = (file: string) =>
      JSON.stringify(new URL(`../../src/kernel/${file}`, import.meta.url).pathname);
    const program = `import { readSysctl, writeSysctl, writeSysctlsBelow } from ${source('sysctl.ts')};
      import { NetworkNamespace } from ${source('netns.ts')};
      import { Parameters } from ${source('sandbox/parameters.ts')};
      const namespace = NetworkNamespace.open(${JSON.stringify(sandbox.path)});
      const sandbox = new Parameters(namespace);
      const failure = await writeSysctl('${parameter}', '1').catch(error => error.code);
      writeSysctlsBelow('/mnt');
      await sandbox.set({ path: '${parameter}', value: '1' });
      const before = readSysctl('${parameter}');
      await writeSysctl('${parameter}', '1');
      process.stdout.write([failure, namespace.run(() => readSysctl('${parameter}')), before, readSysctl('${parameter}')].join(' '));`;
    // as the engine mounts it into a managed plugin
    const mounts = `mount -t tmpfs none /mnt && mkdir /mnt/net && mount --bind /proc/sys/net /mnt/net &&
      mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec "$@"`;
    const inside = ['unshare', '--mount', 'sh', '-ec', mounts, 'sh', process.execPath];
    const { stdout } = await execa('nsenter', [
      `--net=${own.path}`,
      ...inside,
      '--input-type=module',
      '-e',
      program,
    ]);
    expect(stdout).toBe('EROFS 1 0 1');
    expect(await sandbox.sh(`cat /proc/sys/${parameter}`)).toBe('1');
  });

  it('refuses to write what there is none of', async () => {
    await expect(writeSysctl('net/ipv4/conf/not.there/rp_filter', '1')).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });

  it('refuses paths that lead elsewhere', async () => {
    const good = fc.stringMatching(/^[a-z_.]{1,8}$/);
    const bad = fc.constantFrom('', '.', '..', 'a b', 'a\0', '\n');
    const path = fc
      .tuple(fc.array(good, { maxLength: 3 }), bad, fc.array(good, { maxLength: 3 }))
      .map(([before, part, after]) => [...before, part, ...after].join('/'));
    await fc.assert(
      fc.asyncProperty(path, async path => {
        expect(() => readSysctl(path)).toThrow(RangeError);
        await expect(writeSysctl(path, '0')).rejects.toThrow(RangeError);
      }),
    );
    expect(() => readSysctl('/etc/passwd')).toThrow(RangeError);
    expect(() => readSysctl('../../etc/passwd')).toThrow(RangeError);
  });
});
