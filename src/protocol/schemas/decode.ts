import { z } from 'zod';
import { TsnetError } from '../../errors.ts';
import { codeOf } from './coded.ts';

/** More than these would make the message longer than a terminal line or two. */
const SHOWN_ISSUES = 3;

const describe = (issue: z.core.$ZodIssue): string =>
  issue.path.length === 0
    ? `the body: ${issue.message}`
    : `${z.core.toDotPath(issue.path)}: ${issue.message}`;

/**
 * Decodes the parsed JSON of a request.
 * @param schema the request's schema
 * @param json what JSON.parse gave
 * @throws TsnetError BODY_INVALID, ID_INVALID, ADDRESS_INVALID or MAC_INVALID, naming the path of the field
 */
export const decode = <S extends z.ZodType>(schema: S, json: unknown): z.output<S> => {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issues = result.error.issues;
  // A wrong shape comes first: what else is wrong may only follow from it.
  const codes = issues.map(codeOf);
  const code = codes.includes('BODY_INVALID') ? 'BODY_INVALID' : (codes[0] ?? 'BODY_INVALID');
  const same = issues.filter((_, index) => codes[index] === code);
  const shown = same.slice(0, SHOWN_ISSUES).map(describe);
  if (same.length > SHOWN_ISSUES) shown.push(`${same.length - SHOWN_ISSUES} more`);
  throw new TsnetError(code, shown.join('; '));
};
