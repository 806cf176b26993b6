import type { Log } from '../log.ts';
import type { Call } from '../protocol/types.ts';

/** Stands for an engine's call where tsnet acts by itself: without a deadline, and the log has what it did. */
export function backgroundCall(reason: string, log: Log): Call {
  return {
    signal: new AbortController().signal,
    changed: what => log.info(reason, { changed: what }),
    warn: what => log.warn(reason, { warning: what }),
    about: () => undefined,
  };
}
