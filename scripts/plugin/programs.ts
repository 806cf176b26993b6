import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';

/** Libraries that tsnet opens by name, so that no program's own list has them (src/kernel/nft/library.ts). */
const OPENED = ['libnftables.so.1'];

/** Programs that tsnet starts because no library does the same (src/kernel/nft/docker-user-legacy.ts). */
const XTABLES_LEGACY = {
  program: 'xtables-legacy-multi',
  names: ['iptables-legacy', 'ip6tables-legacy'],
} as const;

/**
 * Modules of iptables. All for IPv4 and IPv6: a rule of the administrator's in DOCKER-USER may use any, and without the module
 * neither iptables nor libnftables can read it.
 */
const EXTENSION = /^lib(xt|ipt|ip6t)_.+\.so$/;

/** A program in the root, with other names that it goes by. */
export interface Program {
  /** Absolute path on this machine. */
  readonly file: string;
  /** Further names in the same folder. */
  readonly names: readonly string[];
}

/** What tsnet needs of this machine besides itself. Paths are absolute. */
export interface Needed {
  readonly programs: readonly Program[];
  /** Shared objects that are opened by name while running. */
  readonly opened: readonly string[];
}

/**
 * Finds what tsnet starts and opens.
 * @throws Error that names the Debian package of what is missing
 */
export async function findNeeded(): Promise<Needed> {
  const cache = await libraryCache();
  const libraries = OPENED.map(name => cache.get(name) ?? missing(name, 'libnftables1'));
  const xtables = cache.get('libxtables.so.12') ?? missing('libxtables.so.12', 'iptables');
  const folder = join(dirname(xtables), 'xtables');
  const extensions = (await readdir(folder)).filter(name => EXTENSION.test(name)).sort();
  return {
    programs: [{ file: await programFile(XTABLES_LEGACY.program), names: XTABLES_LEGACY.names }],
    opened: [...libraries, ...extensions.map(name => join(folder, name))],
  };
}

/** Where the dynamic linker finds libraries, by name; the first is the machine's own architecture's. */
async function libraryCache(): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await execa('/sbin/ldconfig', ['-p']);
  const found = new Map<string, string>();
  for (const line of stdout.split('\n')) {
    const [, name, file] = /^\s+(\S+) \(.*\) => (\/\S+)$/.exec(line) ?? [];
    if (name !== undefined && file !== undefined && !found.has(name)) found.set(name, file);
  }
  return found;
}

async function programFile(name: string): Promise<string> {
  for (const folder of ['/usr/sbin', '/sbin']) {
    if ((await readdir(folder)).includes(name)) return join(folder, name);
  }
  return missing(name, 'iptables');
}

function missing(what: string, debianPackage: string): never {
  throw new Error(`plugin: ${what} is not on this machine: install Debian's package ${debianPackage}`);
}
