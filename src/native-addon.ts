/**
 * Must be the first import of main.ts. In the single executable koffi's compiled half is an embedded asset, and the
 * dynamic loader only takes files: it is laid in a private directory, where koffi looks for it by way of
 * `process.resourcesPath` (koffi's own convention for bundles), and removed when it has been loaded.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getAsset, isSea } from 'node:sea';

/** /run first: /tmp may be full or mounted noexec; of those that exist the first that takes the file is used. */
const PLACES = ['/run', '/dev/shm', tmpdir()];

let directory: string | undefined;

function unpack(): string {
  const addon = Buffer.from(getAsset('koffi.node'));
  const failures: unknown[] = [];
  for (const place of PLACES) {
    try {
      const root = mkdtempSync(join(place, 'tsnet-addon-'));
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

/** Called once koffi is loaded: the mapping stays when the file is gone. */
export function removeAddon(): void {
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  directory = undefined;
}

if (isSea()) Object.assign(process, { resourcesPath: unpack() });
