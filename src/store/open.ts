import { Connection } from './connection.ts';
import { SqliteStore } from './sqlite-store.ts';
import type { Store } from './types.ts';

/**
 * The store in a state directory. Nothing is touched before the first call, and every call that finds the store unusable
 * says why (STATE_*) and leaves it to the next to try again.
 * @param directory made, for its owner only, if it is missing
 */
export const openStore = (directory: string): Store => new SqliteStore(new Connection(directory));
