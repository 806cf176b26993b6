/** A process of its own with a store: takes one call a line as JSON, answers one line each. */
import { createInterface } from 'node:readline';
import { TsnetError } from '../../src/errors.ts';
import { openStore } from '../../src/store/open.ts';

const [directory = ''] = process.argv.slice(2);
const store = openStore(directory);

for await (const line of createInterface({ input: process.stdin })) {
  const [name, value] = JSON.parse(line) as [string, string | null];
  try {
    if (value !== null) store.putSetting(name, value);
    console.log(JSON.stringify({ value: store.setting(name) ?? null }));
  } catch (error) {
    if (!(error instanceof TsnetError)) throw error;
    console.log(JSON.stringify({ code: error.code, what: error.what }));
  }
}
store.close();
