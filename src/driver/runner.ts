/**
 * One exclusive runner per key.
 *
 * Invariants:
 * - of two tasks that share a key, the one asked for first ends before the other begins;
 * - a task over everything begins when every earlier task has ended, and every later one waits for it;
 * - tasks with no key in common run side by side;
 * - a task that fails does not hold up the ones behind it.
 */
export class Runner {
  readonly #tails = new Map<string, Promise<void>>();
  #everything: Promise<void> = Promise.resolve();

  /**
   * Runs a task that holds all the given keys.
   * @param keys for instance a network id, and `parent:eth0` for what networks of one parent share
   */
  run<T>(keys: readonly string[], task: () => Promise<T>): Promise<T> {
    const before = [this.#everything, ...keys.map(key => this.#tails.get(key))];
    const result = Promise.all(before).then(task);
    const ended = settled(result);
    for (const key of keys) {
      const tail = ended.then(() => {
        if (this.#tails.get(key) === tail) this.#tails.delete(key);
      });
      this.#tails.set(key, tail);
    }
    return result;
  }

  /** Runs a task that holds everything: for the repair of the whole host. */
  runAlone<T>(task: () => Promise<T>): Promise<T> {
    const before = [this.#everything, ...this.#tails.values()];
    const result = Promise.all(before).then(task);
    this.#everything = settled(result);
    return result;
  }
}

const settled = (promise: Promise<unknown>): Promise<void> =>
  promise.then(
    () => undefined,
    () => undefined,
  );
