import type { Place } from '../../host-state/types.ts';
import { inSandbox } from '../sandbox/enter.ts';
import type { Rtnetlink } from './rtnetlink.ts';

interface Deletion {
  readonly done: Promise<void>;
  readonly place: Place | undefined;
}

/**
 * Deletes links in the background. The kernel takes a link out of the namespace at once and then makes the caller wait for
 * an RCU grace period (16 ms a veth, 36 ms a bridge), which nobody has a use for. What a process that ends leaves
 * undeleted bears the mark and is desired by nobody, so the next one deletes it.
 */
export class Reaper {
  readonly #rtnetlink: Rtnetlink;
  readonly #onError: (error: unknown) => void;
  readonly #pending = new Map<string, Deletion>();

  /** @param onError hears of deletions that the kernel refused */
  constructor(rtnetlink: Rtnetlink, onError: (error: unknown) => void) {
    this.#rtnetlink = rtnetlink;
    this.#onError = onError;
  }

  /**
   * Begins to delete a link of this name if it bears the mark; somebody else's link is left alone.
   * @param mark its alias, exactly or with `:` and more after it
   * @param place where in a container it, or its far end, was made
   * @throws NetlinkError when it cannot be looked up
   */
  async delete(name: string, mark: string, place?: Place): Promise<void> {
    if (this.#pending.has(name)) return;
    const { promise: done, resolve } = Promise.withResolvers<void>();
    this.#pending.set(name, { done, place });
    const end = () => {
      this.#pending.delete(name);
      resolve();
    };
    try {
      const { deletion } = await this.#begin(name, mark, place);
      void deletion.catch(this.#onError).finally(end);
    } catch (error) {
      end();
      throw error;
    }
  }

  /** Whether a link of this name is on its way out. */
  isDeleting(name: string): boolean {
    return this.#pending.has(name);
  }

  /** Resolves when the name is free, or all are. */
  async settled(name?: string): Promise<void> {
    if (name === undefined) await Promise.all([...this.#pending.values()].map(({ done }) => done));
    else await this.#pending.get(name)?.done;
  }

  /** What is on its way out of a sandbox: the names there, and when they are free. */
  leaving(sandbox: string): { readonly names: ReadonlySet<string>; readonly settled: Promise<unknown> } {
    const mine = [...this.#pending.values()].filter(({ place }) => place?.sandbox === sandbox);
    return {
      names: new Set(mine.flatMap(({ place }) => place?.name ?? [])),
      settled: Promise.all(mine.map(({ done }) => done)),
    };
  }

  /** What the kernel has been told to delete it deletes, also when the process ends. */
  async #begin(name: string, mark: string, place: Place | undefined): Promise<Begun> {
    const begun = await beginOn(this.#rtnetlink, name, mark);
    if (begun !== undefined) return begun;
    if (place === undefined) return NOTHING;
    // One without a host end. An engine that has restarted with live-restore takes it for its own and moves it to the host,
    // under the name that it had inside (it has no other to give it back).
    const inside = await inSandbox(
      place.sandbox,
      async ({ rtnetlink }) =>
        (await beginOn(rtnetlink, place.name, mark)) ?? (await beginOn(rtnetlink, name, mark)),
    );
    return inside ?? (await beginOn(this.#rtnetlink, place.name, mark)) ?? NOTHING;
  }
}

/** A deletion under way; in an object, for a promise's promise would be waited for. */
interface Begun {
  readonly deletion: Promise<void>;
}
const NOTHING: Begun = { deletion: Promise.resolve() };

async function beginOn(rtnetlink: Rtnetlink, name: string, mark: string): Promise<Begun | undefined> {
  const index = await rtnetlink.markedLink(name, mark);
  return index === undefined ? undefined : { deletion: rtnetlink.deleteLink(index) };
}
