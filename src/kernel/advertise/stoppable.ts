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

  /** Does not keep the process alive. @returns false when it was stopped */
  async pause(ms: number): Promise<boolean> {
    if (this.#isStopped) return false;
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, ms).unref();
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#end = undefined;
    return !this.#isStopped;
  }
}
