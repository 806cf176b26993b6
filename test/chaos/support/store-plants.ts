import type { Host } from '../../lab/host.ts';
import type { Scene } from './scene.ts';

const FILE = '/var/lib/tsnet/tsnet.db';
const SAVED = '/run/saved.db';
const TABLES = ['network', 'endpoint', 'pool', 'lease'];

/** What is done to the rows of tsnet's state file, and the violations that the judge has to find then: rule and part of the subject. */
export const STORE_PLANTS = [
  ['network-of-nothing', 'eeeeeeeeeeee'],
  ['network-not-stored', 'segment'],
  ['network-stored-wrong', 'plain'],
  ['endpoint-of-nothing', 'dddddddddddd'],
  ['endpoint-not-stored', 'alone2 on segment'],
  ['endpoint-stored-wrong', 'alone1 on segment'],
  ['address-stored-twice', '198.18.10.2'],
  ['address-of-nobody', '198.18.14.200'],
  ['address-not-leased', '198.18.14.2'],
  ['pool-of-nothing', '198.18.99.0/24'],
  ['pool-missing', '198.18.14.0/24'],
] as const;

/** Does all of it. The daemon is to be stopped: it holds the rows in memory as well. */
export async function plantInStore(host: Host, scene: Scene): Promise<void> {
  const segment = scene.networkId('segment');
  await sql(host, [
    ...TABLES.map(table => `CREATE TABLE saved.${table} AS SELECT * FROM ${table}`),
    `INSERT INTO network SELECT '${'e'.repeat(64)}', json_set(document, '$.id', '${'e'.repeat(64)}')
       FROM network WHERE id = '${segment}'`,
    `DELETE FROM network WHERE id = '${segment}'`,
    `UPDATE network SET document = json_set(document, '$.lifecycle', 'deleting') WHERE id = '${scene.networkId('plain')}'`,
    `INSERT INTO endpoint SELECT '${'d'.repeat(64)}', json_set(document, '$.id', '${'d'.repeat(64)}')
       FROM endpoint WHERE id = '${scene.endpointId('web1', 'web')}'`,
    `DELETE FROM endpoint WHERE id = '${scene.endpointId('alone2', 'segment')}'`,
    `UPDATE endpoint SET document = json_set(document, '$.mac', '02:00:00:00:00:79')
       WHERE id = '${scene.endpointId('alone1', 'segment')}'`,
    `UPDATE lease SET address = '198.18.14.200' WHERE address = '198.18.14.2'`,
    `UPDATE pool SET id = 'local/198.18.99.0/24', pool = '198.18.99.0/24'`,
  ]);
}

/** Puts every row back. */
export const restoreStore = (host: Host): Promise<void> =>
  sql(
    host,
    TABLES.flatMap(table => [`DELETE FROM ${table}`, `INSERT INTO ${table} SELECT * FROM saved.${table}`]),
  );

async function sql(host: Host, statements: readonly string[]): Promise<void> {
  const script = `
    const { DatabaseSync } = require('node:sqlite');
    const db = new DatabaseSync('${FILE}', { timeout: 2000 });
    db.exec("ATTACH '${SAVED}' AS saved");
    for (const statement of ${JSON.stringify(statements)}) db.exec(statement);
    db.close();`;
  await host.exec('node', ['-e', script]);
}
