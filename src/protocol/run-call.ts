import { TsnetError } from '../errors.ts';
import { failPoint } from '../fail-points.ts';
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
 * Runs one call under its deadline, has it answered, and writes its entry of the log. At the deadline the caller gets
 * DEADLINE while the work goes on in the background, told by the signal; how it ends is logged too.
 * @param options.deadlineMs milliseconds from now
 * @param options.answer hands the outcome over, before the log is written: the engine need not wait for that
 * @param work gives the answer; what it throws becomes the error
 * @returns never rejected
 */
export const runCall = async (
  options: {
    readonly method: string;
    readonly deadlineMs: number;
    readonly log: Log;
    readonly answer: (outcome: Outcome) => void;
  },
  work: (record: CallRecord) => Promise<object>,
): Promise<void> => {
  const { method, deadlineMs, log, answer } = options;
  const record = new CallRecord(method, log);
  const { promise: expiry, resolve: expire } = Promise.withResolvers<Outcome>();
  let isLate = false;
  const timer = setTimeout(() => {
    const error = new TsnetError('DEADLINE', `${method} was not finished within ${deadlineMs} ms`);
    record.expire(error);
    // What only waited for the signal ends in microtasks, with an error that says more, such as STARTING.
    setImmediate(() => {
      isLate = true;
      expire({ error });
    });
  }, deadlineMs);
  const result = settle(() => work(record));
  const outcome = await Promise.race([result, expiry]);
  clearTimeout(timer);
  record.ended();
  failPoint('answer', method);
  answer(outcome);
  failPoint('answered', method);
  if ('answer' in outcome) record.succeeded();
  else record.failed(outcome.error);
  if (isLate) {
    // Not awaited: the engine has its answer. It is never rejected.
    void result.then(late => record.endedLate('error' in late ? late.error : undefined));
  }
};
