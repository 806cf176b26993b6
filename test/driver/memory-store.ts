import { TsnetError } from '../../src/errors.ts';
import type { Endpoint, Network } from '../../src/model.ts';
import type { Store, StoredLease, StoredPool } from '../../src/store/types.ts';
import type { Fuse } from './fuse.ts';

/** A store whose rows outlive the "process": what is in the maps counts as on the disk. */
export class MemoryStore implements Store {
  readonly networkRows = new Map<string, Network>();
  readonly endpointRows = new Map<string, Endpoint>();
  readonly settings = new Map<string, string>();
  readonly #pools = new Map<string, StoredPool>();
  readonly #leases = new Map<string, StoredLease>();
  readonly #fuse: Fuse;
  /** Every read fails while set. */
  unreadable = false;
  /** Every write fails while set. */
  unwritable = false;

  constructor(fuse: Fuse) {
    this.#fuse = fuse;
  }

  networks(): Network[] {
    this.#read();
    return [...this.networkRows.values()].map(row => structuredClone(row));
  }
  endpoints(): Endpoint[] {
    this.#read();
    return [...this.endpointRows.values()].map(row => structuredClone(row));
  }
  putNetwork(network: Network): void {
    this.#write(`store: network ${network.id.slice(0, 4)} ${network.lifecycle}`);
    this.networkRows.set(network.id, structuredClone(network));
  }
  deleteNetwork(id: string): void {
    this.#write(`store: network ${id.slice(0, 4)} gone`);
    this.networkRows.delete(id);
  }
  putEndpoint(endpoint: Endpoint): void {
    const { id, lifecycle, joined } = endpoint;
    this.#write(`store: endpoint ${id.slice(0, 4)} ${lifecycle}${joined ? ' joined' : ''}`);
    this.endpointRows.set(id, structuredClone(endpoint));
  }
  deleteEndpoint(id: string): void {
    this.#write(`store: endpoint ${id.slice(0, 4)} gone`);
    this.endpointRows.delete(id);
  }

  pools = (): StoredPool[] => [...this.#pools.values()];
  putPool(pool: StoredPool): void {
    this.#pools.set(pool.id, pool);
  }
  deletePool(id: string): void {
    this.#pools.delete(id);
  }
  leases = (): Iterable<StoredLease> => [...this.#leases.values()];
  putLease(lease: StoredLease): void {
    this.#leases.set(`${lease.space} ${lease.pool} ${lease.address}`, lease);
  }
  deleteLease(space: string, pool: string, address: string): void {
    this.#leases.delete(`${space} ${pool} ${address}`);
  }

  setting(name: string): string | undefined {
    this.#read();
    return this.settings.get(name);
  }
  putSetting(name: string, value: string): void {
    this.#write(`store: setting ${name}`);
    this.settings.set(name, value);
  }
  close = (): void => undefined;

  /** All rows, for comparing. */
  rows(): unknown {
    const sorted = <T>(map: Map<string, T>) => Object.fromEntries([...map].sort());
    return { networks: sorted(this.networkRows), endpoints: sorted(this.endpointRows) };
  }

  #read(): void {
    this.#fuse.check();
    if (this.unreadable) throw new TsnetError('STATE_CORRUPT', 'the state file is no database');
  }

  #write(what: string): void {
    if (this.unwritable) throw new TsnetError('STATE_UNWRITABLE', 'the disk is read-only');
    if (this.#fuse.burn(what)) throw new TsnetError('STATE_FULL', `no space for "${what}"`);
  }
}
