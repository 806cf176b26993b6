import { TsnetError } from '../errors.ts';

/** Undefined once the daemon is ready; until then a promise of it, anew each time, so that a restore that failed can be tried again. */
export type Ready = () => Promise<void> | undefined;

/**
 * Waits until the daemon has restored the host.
 * @param signal fires at the call's deadline
 * @throws TsnetError STARTING when the deadline comes first, or what the restore failed with
 */
export const untilReady = async (restored: Promise<void>, signal: AbortSignal): Promise<void> => {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const onAbort = (): void =>
    reject(new TsnetError('STARTING', 'the call came before the restore had ended'));
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([restored, late]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
};
