import type { Store } from '../store/types.ts';

const OWN = 'engine-id';
const OTHER = 'engine-other';

/**
 * Which engine tsnet is the driver of. The driver protocol does not say, and what answers on the socket that tsnet was given may be
 * another one (a second engine on the host, one that was installed anew), on whose word nothing may be removed.
 */
export class OwnEngine {
  readonly #store: Pick<Store, 'setting' | 'putSetting'>;

  constructor(store: Pick<Store, 'setting' | 'putSetting'>) {
    this.#store = store;
  }

  /** An engine that lists a network of tsnet's is the one. @throws TsnetError STATE_* */
  lists(engineId: string): void {
    if (this.#store.setting(OWN) !== engineId) this.#store.putSetting(OWN, engineId);
  }

  /** One that does not list what tsnet has made at its engine's request is another one, unless it proves to be the one. */
  listsNot(engineId: string): void {
    if (this.#store.setting(OTHER) !== engineId) this.#store.putSetting(OTHER, engineId);
  }

  /** Whether it is the one; as long as nothing is known of any, it is. @throws TsnetError STATE_* */
  is(engineId: string): boolean {
    const own = this.#store.setting(OWN);
    return own === undefined ? this.#store.setting(OTHER) !== engineId : own === engineId;
  }
}
