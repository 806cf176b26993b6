import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly hasInstallScript?: true;
  readonly dev?: true;
}

describe('dependencies', () => {
  const packages = Object.entries(
    (JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> }).packages,
  )
    .filter(([path]) => path !== '')
    .map(([path, locked]) => ({ name: path.replace(/^.*node_modules\//, ''), ...locked }));

  it('are pinned, each by the hash of what it is', () => {
    expect(packages.length).toBeGreaterThan(100);
    expect(
      packages.filter(({ integrity }) => !integrity?.startsWith('sha512-')).map(({ name }) => name),
    ).toEqual([]);
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
      read('package.json'),
    ) as Record<string, Record<string, string>>;
    const wanted = Object.values({ ...dependencies, ...devDependencies, ...optionalDependencies });
    expect(wanted.filter(version => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))).toEqual([]);
  });

  it('run nothing when they are installed', () => {
    expect(read('.npmrc')).toMatch(/^ignore-scripts=true$/m);
  });

  it('that would are the ones that docs/security.md names', () => {
    const withScripts = packages
      .filter(({ hasInstallScript }) => hasInstallScript === true)
      .map(({ name }) => name);
    expect(withScripts.sort()).toEqual(['esbuild', 'koffi']);
    for (const name of withScripts) expect(read('docs/security.md')).toContain(`\`${name}\``);
  });

  it('of the program itself are those that docs/security.md names', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    for (const name of Object.keys(dependencies)) expect(read('docs/security.md')).toContain(`\`${name}\``);
  });
});
