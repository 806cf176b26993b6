/**
 * Waiting that somebody else can end. An AbortSignal does the same, but by errors that gather a stack each, and whoever
 * leaves a sandbox would wait for that.
 */
export class Stoppable {
  #isStopped = false;
  #end: (() => void) | undefined;

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** What is waited for is over, and what comes is not waited for. May be called twice. */
  stop(): void {
    this.#isStopped = true;
    this.#end?.();
  }

  /** Until this turn of the event loop is over. @returns false when it was stopped */
  turn(): Promise<boolean> {
    return this.#wait(done => {
      const immediate = setImmediate(done);
      return () => clearImmediate(immediate);
    });
  }

  /** Does not keep the process alive. @returns false when it was stopped */
  pause(ms: number): Promise<boolean> {
    return this.#wait(done => {
      const timer = setTimeout(done, ms).unref();
      return () => clearTimeout(timer);
    });
  }

  /** @param begin begins to wait for `done`; what it returns gives that up */
  async #wait(begin: (done: () => void) => () => void): Promise<boolean> {
    if (this.#isStopped) return false;
    await new Promise<void>(resolve => {
      const giveUp = begin(resolve);
      this.#end = () => {
        giveUp();
        resolve();
      };
    });
    this.#end = undefined;
    return !this.#isStopped;
  }
}
