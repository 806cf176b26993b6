import type { Log } from '../log.ts';
import { Connection } from './connection.ts';
import { SqliteStore } from './sqlite-store.ts';

/**
 * The store in a state directory. Nothing is touched before the first call, and every call that finds the store unusable
 * says why (STATE_*) and leaves it to the next to try again.
 * @param directory made, for its owner only, if it is missing
 * @param log is told of damage, and of what stands in the way of keeping a copy
 */
export const openStore = (directory: string, log?: Pick<Log, 'warn' | 'error'>): SqliteStore =>
  new SqliteStore(new Connection(directory, log));
