import { readFileSync, statSync } from 'node:fs';
import type { State } from '../driver/state.ts';
import type { Store } from '../store/types.ts';
import { refuseLeftLinks } from './left-links.ts';

/** Name of the setting that says where this store has served last. */
const SERVED = 'served';

/**
 * Keeps a tsnet off another one's links that it has never met: whoever has stopped cannot be asked. A link that is in no record
 * is this tsnet's own, left when it was killed, only if it has served this network namespace before: all links go with the
 * namespace, and with a reboot.
 * @throws TsnetError INSTANCE_LEFT with the names of the links, STATE_* while the store cannot be read
 */
export async function refuseStrangersLinks(state: State, store: Store): Promise<void> {
  const here = `${boot()} ${statSync('/proc/self/ns/net').ino}`;
  if (store.setting(SERVED) === here) return;
  await refuseLeftLinks(state, undefined);
  try {
    store.putSetting(SERVED, here);
  } catch {
    // On a full disk containers are to have their network all the same. The next start looks again.
  }
}

const boot = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
