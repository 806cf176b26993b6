import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { changelog, control } from '../../scripts/deb/control.ts';
import { librariesOf } from '../../scripts/deb/libraries.ts';
import { timeOf } from '../../scripts/deb/time.ts';

/** A dynamic string table, in part. */
const strings = (...names: string[]): Buffer => Buffer.from(`\u007fELF\0${names.join('\0')}\0`, 'latin1');

describe('libraries of an executable', () => {
  it('are those with the newest symbols it asks for', () => {
    const executable = strings(
      'GLIBC_2.2.5',
      'GLIBC_2.28',
      'GLIBC_2.9',
      'GLIBCXX_3.4',
      'GLIBCXX_3.4.21',
      'main',
    );
    expect(librariesOf(executable)).toEqual(['libc6 (>= 2.28)', 'libgcc-s1', 'libstdc++6 (>= 5)']);
  });

  it('take the next known GCC for a version that came in between', () => {
    expect(librariesOf(strings('GLIBC_2.34', 'GLIBCXX_3.4.27'))).toContain('libstdc++6 (>= 9.3)');
  });

  it('are not guessed for versions nobody has looked up', () => {
    expect(() => librariesOf(strings('GLIBC_2.40', 'GLIBCXX_3.4.99'))).toThrow('GLIBCXX_3.4.99');
  });

  it('are not read out of running text', () => {
    expect(librariesOf(strings('GLIBC_2.28', 'needs GLIBC_2.99 at least', 'GLIBCXX_3.4.21'))).toContain(
      'libc6 (>= 2.28)',
    );
  });
});

describe('what dpkg is told', () => {
  const facts = {
    version: '1.2.3',
    architecture: 'arm64',
    description: 'A Docker network driver: bridge networks, and more.',
    libraries: ['libc6 (>= 2.28)'],
    size: 12_345,
  };

  it('is one field a line, with a synopsis by the rules', () => {
    const lines = control(facts).split('\n');
    expect(lines).toContain('Version: 1.2.3');
    expect(lines).toContain('Architecture: arm64');
    expect(lines).toContain('Installed-Size: 12345');
    expect(lines).toContain('Description: Docker network driver: bridge networks');
    expect(lines.find(line => line.startsWith('Depends:'))).toMatch(
      /^Depends: libc6 \(>= 2\.28\), libnftables1/,
    );
    // A line that begins with no space is a field, and the file ends with a line's end (deb-control(5)).
    const fields = lines.filter(line => line !== '' && !line.startsWith(' '));
    expect(fields.every(line => /^[A-Z][\w-]*: \S/.test(line))).toBe(true);
    expect(lines.at(-1)).toBe('');
  });

  it('has the date of the build, not of the day', () => {
    expect(changelog('1.2.3', 1_700_000_000)).toContain('Tue, 14 Nov 2023 22:13:20 +0000\n');
  });
});

describe('the time of a build', () => {
  it('is the one given', async () => {
    expect(await timeOf('/', { SOURCE_DATE_EPOCH: '1700000000' })).toBe(1_700_000_000);
    await expect(timeOf('/', { SOURCE_DATE_EPOCH: 'yesterday' })).rejects.toThrow('yesterday');
  });

  it('is that of the commit otherwise, and the beginning without history', async () => {
    const here = await timeOf(import.meta.dirname, {});
    expect(here).toBe(await timeOf(join(import.meta.dirname, '..'), {}));
    const nowhere = mkdtempSync(join(tmpdir(), 'no-history-'));
    expect(await timeOf(nowhere, {})).toBe(0);
    rmSync(nowhere, { recursive: true });
  });
});
