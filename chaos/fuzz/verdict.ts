import { ERRORS } from '../../src/errors.ts';
import type { Answer } from './request.ts';

/** Codes by which tsnet says that something went wrong in it; none may come of a request. */
const DEFECTS: ReadonlySet<string> = new Set(['INTERNAL']);
/** Codes of calls that were given up. */
const HANGS: ReadonlySet<string> = new Set(['DEADLINE', 'STARTING']);
/** A terminal, where the message ends up, obeys these. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u;
const LONGEST_MESSAGE = 8_192;

export type Verdict =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'hang'; readonly why: string }
  | { readonly kind: 'defect'; readonly why: string };

/** What an answer says, and whether it may say that. @param method of HTTP */
export function judge({ status, text }: Answer, method: string): Verdict {
  const defect = (why: string): Verdict => ({
    kind: 'defect',
    why: `${why}: ${status} ${text.slice(0, 300)}`,
  });
  // An answer to HEAD has no body.
  if (method === 'HEAD')
    return status === 404 ? { kind: 'refused', code: 'METHOD_UNKNOWN' } : defect('HEAD was done');
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return defect('the answer is no JSON');
  }
  if (typeof body !== 'object' || body === null) return defect('the answer is no object');
  const { Err, Error: second } = body as { Err?: unknown; Error?: unknown };
  if (status === 200)
    return Err === undefined && second === undefined ? { kind: 'done' } : defect('an error with 200');
  if (typeof Err !== 'string' || Err !== second) return defect('a refusal without words');
  const code = /^([A-Z_]+): /.exec(Err)?.[1] ?? '';
  const known = Object.entries(ERRORS).find(([name]) => name === code)?.[1];
  if (known === undefined) return defect('a refusal without a code');
  if (DEFECTS.has(code)) return defect('a defect of tsnet');
  if (HANGS.has(code)) return { kind: 'hang', why: Err };
  const wanted = known.status === 404 && code !== 'METHOD_UNKNOWN' ? 500 : known.status;
  if (status !== wanted) return defect(`status of ${code} is not ${wanted}`);
  if (CONTROL.test(Err)) return defect('control characters in the message');
  if (Err.length > LONGEST_MESSAGE) return defect('a message that nobody can read');
  return { kind: 'refused', code };
}
