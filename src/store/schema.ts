/** "tsnt" as a number: `PRAGMA application_id`, by which a file is known to be tsnet's. */
export const APPLICATION_ID = 0x74736e74;

/**
 * The schema as the steps that led to it: step n brings a file of version n (`PRAGMA user_version`) to n + 1.
 * A step that has been released is never edited; a change of the schema is a new step.
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE setting (
     name TEXT PRIMARY KEY,
     value TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE network (
     id TEXT PRIMARY KEY,
     document TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE endpoint (
     id TEXT PRIMARY KEY,
     document TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE pool (
     id TEXT PRIMARY KEY,
     space TEXT NOT NULL,
     pool TEXT NOT NULL,
     sub_pool TEXT,
     cursor TEXT NOT NULL,
     epoch INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE lease (
     space TEXT NOT NULL,
     pool TEXT NOT NULL,
     address TEXT NOT NULL,
     epoch INTEGER NOT NULL,
     holder TEXT,
     PRIMARY KEY (space, pool, address)
   ) STRICT, WITHOUT ROWID;`,
];

export const VERSION = MIGRATIONS.length;
