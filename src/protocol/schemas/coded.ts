import { z } from 'zod';
import { type ErrorCode, TsnetError } from '../../errors.ts';

/** Where an issue of zod carries the code of tsnet's own table. */
interface CodedParams {
  readonly tsnetCode: ErrorCode;
}

/**
 * Makes a zod transform of a function that throws TsnetError: the error becomes an issue, and so gets the path of
 * the field that it is about.
 * @param decode throws TsnetError for text that it does not take
 */
export const coded =
  <O>(decode: (text: string) => O) =>
  (text: string, context: z.RefinementCtx): O => {
    try {
      return decode(text);
    } catch (error) {
      if (!(error instanceof TsnetError)) throw error;
      const params: CodedParams = { tsnetCode: error.code };
      context.addIssue({ code: 'custom', message: error.what, params: { ...params } });
      return z.NEVER;
    }
  };

/** The table code of an issue; BODY_INVALID for those of zod itself. */
export const codeOf = (issue: z.core.$ZodIssue): ErrorCode => {
  if (issue.code !== 'custom') return 'BODY_INVALID';
  return (issue.params as CodedParams | undefined)?.tsnetCode ?? 'BODY_INVALID';
};
