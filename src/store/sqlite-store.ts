import type { Endpoint, Network } from '../model.ts';
import type { Connection, Prepare } from './connection.ts';
import { decodeEndpoint, decodeNetwork } from './documents.ts';
import type { StoreHealth } from './health.ts';
import { decodeLease, decodePool } from './rows.ts';
import type { Store, StoredLease, StoredPool } from './types.ts';

/** The store in an SQLite file: documents for what is only ever read whole, columns for what IPAM looks things up by. */
export class SqliteStore implements Store {
  readonly #file: Connection;

  constructor(file: Connection) {
    this.#file = file;
  }

  networks(): Network[] {
    return this.#documents('network').map(([id, text]) => decodeNetwork(id, text));
  }

  putNetwork(network: Network): void {
    this.#file.write(prepare => writeDocument(prepare, 'network', network));
  }

  deleteNetwork(id: string): void {
    this.#run('DELETE FROM network WHERE id = ?', id);
  }

  endpoints(): Endpoint[] {
    return this.#documents('endpoint').map(([id, text]) => decodeEndpoint(id, text));
  }

  putEndpoint(endpoint: Endpoint): void {
    this.#file.write(prepare => writeDocument(prepare, 'endpoint', endpoint), 'process end');
  }

  deleteEndpoint(id: string): void {
    this.#file.write(prepare => prepare('DELETE FROM endpoint WHERE id = ?').run(id), 'process end');
  }

  pools(): StoredPool[] {
    return this.#file.read(prepare => prepare('SELECT * FROM pool').all().map(decodePool));
  }

  putPool(pool: StoredPool): void {
    this.#file.write(prepare => writePool(prepare, pool));
  }

  deletePool(id: string): void {
    this.#run('DELETE FROM pool WHERE id = ?', id);
  }

  leases(): Iterable<StoredLease> {
    return this.#file.read(prepare => prepare('SELECT * FROM lease').all().map(decodeLease));
  }

  putLease(lease: StoredLease, pool?: StoredPool): void {
    this.#file.write(prepare => {
      const { space, address, epoch, holder } = lease;
      prepare(
        'INSERT OR REPLACE INTO lease (space, pool, address, epoch, holder) VALUES (?, ?, ?, ?, ?)',
      ).run(space, lease.pool, address, epoch, holder ?? null);
      if (pool !== undefined) writePool(prepare, pool);
    });
  }

  deleteLease(space: string, pool: string, address: string): void {
    this.#run('DELETE FROM lease WHERE space = ? AND pool = ? AND address = ?', space, pool, address);
  }

  setting(name: string): string | undefined {
    const row = this.#file.read(prepare => prepare('SELECT value FROM setting WHERE name = ?').get(name));
    return row === undefined ? undefined : String(row['value']);
  }

  putSetting(name: string, value: string): void {
    this.#run('INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)', name, value);
  }

  /** How the state on the disk is. Never throws. */
  health(): StoreHealth {
    return this.#file.health();
  }

  close(): void {
    this.#file.close();
  }

  #documents(table: 'network' | 'endpoint'): [id: string, text: string][] {
    const rows = this.#file.read(prepare => prepare(`SELECT id, document FROM ${table}`).all());
    return rows.map(row => [String(row['id']), String(row['document'])]);
  }

  #run(sql: string, ...values: string[]): void {
    this.#file.write(prepare => {
      prepare(sql).run(...values);
    });
  }
}

function writeDocument(prepare: Prepare, table: 'network' | 'endpoint', value: Network | Endpoint): void {
  const sql = `INSERT OR REPLACE INTO ${table} (id, document) VALUES (?, ?)`;
  prepare(sql).run(value.id, JSON.stringify(value));
}

function writePool(prepare: Prepare, { id, space, pool, subPool, cursor, epoch }: StoredPool): void {
  prepare(
    'INSERT OR REPLACE INTO pool (id, space, pool, sub_pool, cursor, epoch) VALUES (?, ?, ?, ?, ?, ?)',
  ).run(id, space, pool, subPool ?? null, cursor, epoch);
}
