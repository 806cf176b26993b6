/**
 * Lets the runs of an action follow one another: of two that first look and then do what is missing, both would do it.
 * @returns what runs it when those asked for before have ended, however
 */
export function inTurn<T>(action: () => Promise<T>): () => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const run = last.then(action, action);
    last = run;
    // Whoever has asked hears of it.
    run.catch(() => undefined);
    return run;
  };
}
