import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Host } from '../../../test/lab/host.ts';
import { canonical } from '../addresses.ts';

/** What tsnet remembers, read from its file beside it. */
export interface StoreView {
  readonly networks: readonly StoredNetwork[];
  readonly endpoints: readonly StoredEndpoint[];
  readonly pools: readonly StoredPool[];
  readonly leases: readonly StoredLease[];
}

export interface StoredNetwork {
  readonly id: string;
  readonly lifecycle: string;
  readonly base: { readonly kind: string; readonly link: string };
}

export interface StoredEndpoint {
  readonly id: string;
  readonly networkId: string;
  readonly lifecycle: string;
  readonly joined: boolean;
  /** CIDR. */
  readonly address4?: string;
  readonly address6?: string;
  readonly mac: string;
}

export interface StoredPool {
  readonly id: string;
  readonly space: string;
  readonly pool: string;
}

export interface StoredLease {
  readonly space: string;
  /** CIDR. */
  readonly pool: string;
  /** Bare. */
  readonly address: string;
}

/**
 * Reads the state file while the daemon has it open. It is copied first, with its journal: SQLite resolves links, so that it
 * cannot open what is below another process's root.
 * @param stateDir on the host
 * @throws Error when there is none, or it is no database
 */
export function readStore(host: Host, stateDir: string): StoreView {
  const there = `/proc/${host.pid}/root${stateDir}`;
  const here = mkdtempSync(join(tmpdir(), 'tsnet-judge-'));
  try {
    for (const name of ['tsnet.db', 'tsnet.db-wal']) {
      if (existsSync(join(there, name))) copyFileSync(join(there, name), join(here, name));
    }
    const db = new DatabaseSync(join(here, 'tsnet.db'));
    try {
      return readTables(db);
    } finally {
      db.close();
    }
  } finally {
    rmSync(here, { recursive: true });
  }
}

function readTables(db: DatabaseSync): StoreView {
  const rows = <T>(sql: string): T[] => db.prepare(sql).all() as T[];
  const documents = <T>(table: string): T[] =>
    rows<{ document: string }>(`SELECT document FROM ${table}`).map(row => JSON.parse(row.document));
  return {
    networks: documents<StoredNetwork>('network'),
    endpoints: documents<StoredEndpoint>('endpoint'),
    pools: rows<StoredPool>('SELECT id, space, pool FROM pool'),
    leases: rows<StoredLease>('SELECT space, pool, address FROM lease').map(lease => ({
      ...lease,
      address: canonical(lease.address),
    })),
  };
}
