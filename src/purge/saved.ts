import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Endpoint, Network } from '../model.ts';
import { decodeEndpoint, decodeNetwork } from '../store/documents.ts';
import { storeFailure } from '../store/failure.ts';
import { inspect } from '../store/inspect.ts';

/** What a state file says is on the host. */
export interface Saved {
  readonly networks: readonly Network[];
  readonly endpoints: readonly Endpoint[];
}

export const NOTHING_SAVED: Saved = { networks: [], endpoints: [] };

/** How long, in milliseconds, the daemon may keep the file to itself. */
const TIMEOUT = 1000;

/**
 * Reads a state file without changing it, also while a daemon has it.
 * @param directory of the state; where it or the file is missing nothing is saved
 * @throws TsnetError STATE_* when it cannot be read
 */
export function readSaved(directory: string): Saved {
  const path = join(directory, 'tsnet.db');
  if (!existsSync(path)) return NOTHING_SAVED;
  try {
    inspect(path, { timeout: TIMEOUT });
    const db = new DatabaseSync(path, { readOnly: true, timeout: TIMEOUT });
    try {
      const rows = (table: 'network' | 'endpoint') =>
        db
          .prepare(`SELECT id, document FROM ${table}`)
          .all()
          .map(row => [String(row['id']), String(row['document'])] as const);
      return {
        networks: rows('network').map(row => decodeNetwork(...row)),
        endpoints: rows('endpoint').map(row => decodeEndpoint(...row)),
      };
    } finally {
      db.close();
    }
  } catch (error) {
    throw storeFailure(error, path);
  }
}
