import { TsnetError } from '../errors.ts';
import type { Log } from '../log.ts';
import { CallRecord } from './call-record.ts';
import { toTsnetError } from './to-tsnet-error.ts';

/** What a call ended with, as far as the engine is concerned; the answer is JSON already. */
export type Outcome = { readonly answer: string } | { readonly error: TsnetError };

const settle = async (work: () => Promise<object>): Promise<Outcome> => {
  try {
    return { answer: JSON.stringify(await work()) };
  } catch (error) {
    return { error: toTsnetError(error) };
  }
};

/**
 * Runs one call under its deadline and writes its entry of the log. At the deadline the caller gets DEADLINE while
 * the work goes on in the background, told by the signal; how it ends is logged too.
 * @param options.deadlineMs milliseconds from now
 * @param work gives the answer; what it throws becomes the error
 * @returns never rejected
 */
export const runCall = async (
  options: { readonly method: string; readonly deadlineMs: number; readonly log: Log },
  work: (record: CallRecord) => Promise<object>,
): Promise<Outcome> => {
  const { method, deadlineMs, log } = options;
  const controller = new AbortController();
  const record = new CallRecord(method, controller.signal, log);
  const expired = { error: new TsnetError('DEADLINE', `${method} was not finished within ${deadlineMs} ms`) };
  const { promise: expiry, resolve: expire } = Promise.withResolvers<Outcome>();
  const timer = setTimeout(() => {
    controller.abort(expired.error);
    // What only waited for the signal ends in microtasks, with an error that says more, such as STARTING.
    setImmediate(() => expire(expired));
  }, deadlineMs);
  const result = settle(() => work(record));
  const outcome = await Promise.race([result, expiry]);
  clearTimeout(timer);
  if ('answer' in outcome) record.succeeded();
  else record.failed(outcome.error);
  if (outcome === expired) {
    // Not awaited: the engine has its answer. It is never rejected.
    void result.then(late => record.endedLate('error' in late ? late.error : undefined));
  }
  return outcome;
};
