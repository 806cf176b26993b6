import type { Rtnetlink } from './rtnetlink.ts';

/**
 * Deletes links in the background. The kernel takes a link out of the namespace at once and then makes the caller wait for
 * an RCU grace period (16 ms a veth, 36 ms a bridge), which nobody has a use for. What a process that ends leaves
 * undeleted bears the mark and is desired by nobody, so the next one deletes it.
 */
export class Reaper {
  readonly #rtnetlink: Rtnetlink;
  readonly #onError: (error: unknown) => void;
  readonly #pending = new Map<string, Promise<void>>();

  /** @param onError hears of deletions that the kernel refused */
  constructor(rtnetlink: Rtnetlink, onError: (error: unknown) => void) {
    this.#rtnetlink = rtnetlink;
    this.#onError = onError;
  }

  /**
   * Begins to delete a link of this name if it bears the mark; somebody else's link is left alone.
   * @param mark its alias, exactly or with `:` and more after it
   * @throws NetlinkError when it cannot be looked up
   */
  async delete(name: string, mark: string): Promise<void> {
    if (this.#pending.has(name)) return;
    const index = await this.#rtnetlink.markedLink(name, mark);
    if (index === undefined || this.#pending.has(name)) return;
    const deletion = this.#rtnetlink
      .deleteLink(index)
      .catch(this.#onError)
      .finally(() => this.#pending.delete(name));
    this.#pending.set(name, deletion);
  }

  /** Whether a link of this name is on its way out. */
  isDeleting(name: string): boolean {
    return this.#pending.has(name);
  }

  /** Resolves when the name is free, or all are. */
  async settled(name?: string): Promise<void> {
    if (name === undefined) await Promise.all(this.#pending.values());
    else await this.#pending.get(name);
  }
}
