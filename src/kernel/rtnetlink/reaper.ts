import { setImmediate } from 'node:timers/promises';
import type { Place } from '../../host-state/types.ts';
import type { LinkInfo } from '../link-info.ts';
import { inSandbox } from '../sandbox/enter.ts';
import type { Rtnetlink } from './rtnetlink.ts';

interface Deletion {
  /** Never rejected. @returns whether it succeeded */
  readonly done: Promise<boolean>;
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
   * Begins to delete a link of this name if it bears the mark; somebody else's link is left alone. Never throws.
   * @param mark its alias, exactly or with `:` and more after it
   * @param place where in a container it, or its far end, was made
   */
  delete(name: string, mark: string, place?: Place): void {
    if (this.#pending.has(name)) return;
    const done = this.#delete(name, mark, place).then(
      () => true,
      error => {
        this.#onError(error);
        return false;
      },
    );
    this.#pending.set(name, { done: done.finally(() => this.#pending.delete(name)), place });
  }

  /** Whether a link of this name is on its way out. */
  isDeleting(name: string): boolean {
    return this.#pending.has(name);
  }

  /** The host's links but for those that were on their way out when they were asked for, or are when the kernel has answered. */
  async staying(): Promise<LinkInfo[]> {
    const leaving = new Set(this.#pending.keys());
    const links = await this.#rtnetlink.links();
    return links.filter(({ name }) => !leaving.has(name) && !this.isDeleting(name));
  }

  /** Resolves when the name is free, or all are. @returns whether what was being deleted is gone */
  async settled(name?: string): Promise<boolean> {
    if (name !== undefined) return (await this.#pending.get(name)?.done) ?? true;
    const done = await Promise.all([...this.#pending.values()].map(deletion => deletion.done));
    return done.every(succeeded => succeeded);
  }

  /** What is on its way out of a sandbox: the names there, and when they are free. */
  leaving(sandbox: string): { readonly names: ReadonlySet<string>; readonly settled: Promise<unknown> } {
    const mine = [...this.#pending.values()].filter(({ place }) => place?.sandbox === sandbox);
    return {
      names: new Set(mine.flatMap(({ place }) => place?.name ?? [])),
      settled: Promise.all(mine.map(({ done }) => done)),
    };
  }

  async #delete(name: string, mark: string, place: Place | undefined): Promise<void> {
    // First the call is answered.
    await setImmediate();
    if (await deleteOn(this.#rtnetlink, name, mark)) return;
    if (place === undefined) return;
    // One without a host end. An engine that has restarted with live-restore takes it for its own and moves it to the host,
    // under the name that it had inside (it has no other to give it back).
    const inside = await inSandbox(
      place.sandbox,
      async ({ rtnetlink }) =>
        (await deleteOn(rtnetlink, place.name, mark)) || (await deleteOn(rtnetlink, name, mark)),
    );
    if (inside !== true) await deleteOn(this.#rtnetlink, place.name, mark);
  }
}

/** @returns whether there was one */
async function deleteOn(rtnetlink: Rtnetlink, name: string, mark: string): Promise<boolean> {
  const index = await rtnetlink.markedLink(name, mark);
  if (index === undefined) return false;
  await rtnetlink.deleteLink(index);
  return true;
}
