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
    const index = await this.#rtnetlink.markedLink(name, mark);
    if (this.#pending.has(name)) return;
    if (index !== undefined) this.#begin(name, place, this.#rtnetlink.deleteLink(index));
    else if (place !== undefined) this.#begin(name, place, this.#deletePlaced(name, place, mark));
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

  #begin(name: string, place: Place | undefined, deletion: Promise<void>): void {
    const done = deletion.catch(this.#onError).finally(() => this.#pending.delete(name));
    this.#pending.set(name, { done, place });
  }

  /**
   * A link without a host end. An engine that has restarted with live-restore takes it for its own and moves it to the
   * host, under the name that it had inside (it has no other to give it back).
   */
  async #deletePlaced(madeAs: string, { sandbox, name }: Place, mark: string): Promise<void> {
    const wasInside = await inSandbox(sandbox, async ({ rtnetlink }) => {
      const index = (await rtnetlink.markedLink(name, mark)) ?? (await rtnetlink.markedLink(madeAs, mark));
      if (index !== undefined) await rtnetlink.deleteLink(index);
      return index !== undefined;
    });
    if (wasInside === true) return;
    const index = await this.#rtnetlink.markedLink(name, mark);
    if (index !== undefined) await this.#rtnetlink.deleteLink(index);
  }
}
