import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';

/** What the names of all labs' directories and cgroups begin with. */
export const PREFIX = 'tsnet-lab-';

/** The project's directory, seen read-only and at the same path by every node. */
export const REPOSITORY = resolve(import.meta.dirname, '../..');

/** Where newer engines, compose and the image are kept from one run to the next. */
export function cacheDir(): string {
  return process.env['TSNET_LAB_CACHE'] ?? '/var/cache/tsnet-lab';
}

/** The directory below which labs live while they exist. */
export function labsDir(): string {
  return tmpdir();
}

/**
 * Marks what belongs to one run of the tests: global-setup.ts puts it into the environment, from where it gets
 * into the names of labs and the environment of all their processes. Empty outside a test run.
 */
export function runMark(): string {
  return process.env['TSNET_TEST_RUN'] ?? '';
}

/** A directory for a new lab; its base name is the lab's name, which no two labs share. */
export function newLabDir(): string {
  return join(labsDir(), `${PREFIX}${runMark()}${randomBytes(4).toString('hex')}`);
}

/** Name of the lab in a directory. */
export function labName(dir: string): string {
  return basename(dir);
}

/** The argument that marks the processes which hold a lab's namespaces. */
export function holderMark(lab: string): string {
  return `holder:${lab}`;
}
