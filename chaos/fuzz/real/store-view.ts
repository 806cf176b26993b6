import { DatabaseSync } from 'node:sqlite';
import type { Held } from '../target.ts';

interface StoredNetwork {
  readonly id: string;
  readonly lifecycle: string;
  readonly base: { readonly link: string };
  readonly options: { readonly shim: boolean };
  readonly subnets4: readonly { readonly pool: string }[];
  readonly subnets6: readonly { readonly pool: string }[];
}
interface StoredEndpoint {
  readonly id: string;
  readonly networkId: string;
  readonly lifecycle: string;
  readonly joined: boolean;
}

/** The daemon's store, read beside it. */
export class StoreView implements Disposable {
  readonly #db: DatabaseSync;
  /** By id, then by row: parsed once. */
  #held: Held = { networks: [], endpoints: [], pools: [], leases: [] };
  #unfinished = false;
  #shimmed: ReadonlySet<string> = new Set();

  /** @param path of the database, which is there */
  constructor(path: string) {
    this.#db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  }

  /** All rows but the settings, as text. */
  read(): string {
    const documents = (table: string) =>
      this.#db
        .prepare(`SELECT document FROM ${table} ORDER BY id`)
        .all()
        .map(row => JSON.parse(String(row['document'])) as unknown);
    const networks = documents('network') as StoredNetwork[];
    const endpoints = documents('endpoint') as StoredEndpoint[];
    const pools = this.#db.prepare('SELECT id FROM pool ORDER BY id').all();
    const leases = this.#db.prepare('SELECT space, pool, address, holder FROM lease ORDER BY 1, 2, 3').all();
    this.#unfinished = [...networks, ...endpoints].some(({ lifecycle }) => lifecycle === 'deleting');
    this.#shimmed = new Set(networks.flatMap(({ base, options }) => (options.shim ? base.link : [])));
    this.#held = {
      networks: networks.map(({ id, subnets4, subnets6 }) => ({
        id,
        pools4: subnets4.map(({ pool }) => pool),
        pools6: subnets6.map(({ pool }) => pool),
      })),
      endpoints,
      pools: pools.map(row => String(row['id'])),
      leases: leases.map(row => ({
        space: String(row['space']),
        pool: String(row['pool']),
        address: String(row['address']),
      })),
    };
    return JSON.stringify([networks, endpoints, pools, leases]);
  }

  /** What the last read() found. */
  get held(): Held {
    return this.#held;
  }

  /** Links on which networks have a shim. */
  get shimmed(): ReadonlySet<string> {
    return this.#shimmed;
  }

  /** Whether the last read() found something that is being removed. */
  get isUnfinished(): boolean {
    return this.#unfinished;
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
