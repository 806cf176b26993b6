import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { cacheDir } from './paths.ts';

/**
 * A generation of the Docker Engine: the first number of its version (with the second for 20.10), or `newest`
 * for whichever is the latest that scripts/setup/packages.sh could get.
 */
export type Generation = '20.10' | '26' | '28' | 'newest';

/** An engine that hosts can be booted with. */
export interface Engine {
  generation: string;
  version: string;
  /** Directory of its programs, to be laid over the machine's; '' for the machine's own. */
  dir: string;
}

const VERSION = /version ((\d+)\.(\d+)[^ ,]*)/;

function parseVersion(text: string, dir: string): Engine {
  const [, version = '', major = '', minor = ''] = VERSION.exec(text) ?? [];
  if (version === '') throw new Error(`lab: no engine version in '${text}'`);
  return { version, generation: major === '20' ? `${major}.${minor}` : major, dir };
}

/** The engines that this machine has, oldest first. @throws Error when docker.io is not installed */
export async function engines(): Promise<Engine[]> {
  const { stdout } = await execa('dockerd', ['--version']);
  const found = [parseVersion(stdout, '')];
  for (const generation of ['26', '28']) {
    const dir = join(cacheDir(), 'engines', generation);
    if (existsSync(join(dir, 'VERSION')))
      found.push(parseVersion(readFileSync(join(dir, 'VERSION'), 'utf8'), dir));
  }
  return found.sort((a, b) => Number(a.generation) - Number(b.generation));
}

/** The engine of a generation. @throws Error that says how to get it when it is not there */
export async function findEngine(generation: Generation): Promise<Engine> {
  const all = await engines();
  const engine = generation === 'newest' ? all.at(-1) : all.find(one => one.generation === generation);
  if (engine === undefined) {
    throw new Error(`lab: no Docker Engine ${generation} here: run scripts/setup/packages.sh`);
  }
  return engine;
}
