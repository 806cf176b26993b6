/**
 * Must be the first import of main.ts. In the single executable koffi's compiled half is an embedded asset, and the
 * dynamic loader only takes files: it is laid in a private directory, where koffi looks for it by way of
 * `process.resourcesPath` (koffi's own convention for bundles), and removed when it has been loaded.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getAsset, isSea } from 'node:sea';

/** /run first: /tmp may be full or mounted noexec; of those that exist the first that takes the file is used. */
const PLACES = ['/run', '/dev/shm', tmpdir()];

/** What the directories' names begin with; the id of the process that made it comes next. */
const NAME = 'tsnet-addon-';

let directory: string | undefined;

function unpack(): string {
  const addon = Buffer.from(getAsset('koffi.node'));
  const failures: unknown[] = [];
  for (const place of PLACES) {
    try {
      removeLeft(place);
      const root = mkdtempSync(join(place, `${NAME}${process.pid}-`));
      directory = root;
      const folder = join(root, 'koffi', `linux_${process.arch}`);
      mkdirSync(folder, { recursive: true });
      const file = join(folder, 'koffi.node');
      writeFileSync(file, addon, { mode: 0o500 });
      // Loading it here shows whether the place allows execution; a second load of the same file is free.
      process.dlopen({ exports: {} }, file);
      return root;
    } catch (error) {
      failures.push(error);
      removeAddon();
    }
  }
  throw new AggregateError(failures, `no place to load koffi from: ${failures.map(String).join('; ')}`);
}

/** What processes that were killed while they loaded it have left: some megabytes each, of memory. */
function removeLeft(place: string): void {
  for (const name of readdirSync(place)) {
    const maker = /^\d+(?=-)/.exec(name.startsWith(NAME) ? name.slice(NAME.length) : '')?.[0];
    if (maker !== undefined && !existsSync(`/proc/${maker}`))
      rmSync(join(place, name), { recursive: true, force: true });
  }
}

/** Called once koffi is loaded: the mapping stays when the file is gone. */
export function removeAddon(): void {
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  directory = undefined;
}

if (isSea()) Object.assign(process, { resourcesPath: unpack() });
