import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { TsnetError } from '../errors.ts';

/** Room for every port of a host published, twice: once as port map, once as exposed ports (about 8 MB). */
export const BODY_LIMIT = 16 * 1024 * 1024;

/**
 * Reads a body whole, whatever its content type: the engine sends none. A call waits for this: express.raw() does more, and a promise
 * would be fulfilled only when Node has put the request away.
 * @param done told the body, once
 * @param failed told TsnetError BODY_INVALID, once, of one that is too large, compressed, or breaks off; it has been read all the same
 */
export const readBody = (
  request: IncomingMessage,
  done: (body: Buffer) => void,
  failed: (error: TsnetError) => void,
): void => {
  const chunks: Buffer[] = [];
  let size = 0;
  const refuse = (what: string) => failed(new TsnetError('BODY_INVALID', what));
  const breaks = () => refuse('the connection broke in the middle of the body');
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= BODY_LIMIT) chunks.push(chunk);
    else chunks.length = 0;
  });
  request.once('close', breaks);
  request.once('end', () => {
    request.off('close', breaks);
    const encoding = request.headers['content-encoding'] ?? 'identity';
    if (size > BODY_LIMIT) refuse(`the body is larger than ${BODY_LIMIT} bytes`);
    else if (encoding !== 'identity') refuse('the body is compressed');
    else done(chunks[0] !== undefined && chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
  });
};

/** The JSON of a body. @throws TsnetError BODY_EMPTY, BODY_INVALID */
export const parseBody = (body: Buffer): unknown => {
  if (body.length === 0) throw new TsnetError('BODY_EMPTY', 'the request has no body');
  if (!isUtf8(body)) throw new TsnetError('BODY_INVALID', 'the body is not UTF-8');
  const text = body.toString();
  if (text.trim() === '') throw new TsnetError('BODY_EMPTY', 'the request has a blank body');
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TsnetError('BODY_INVALID', `the body is no JSON: ${reason}`, { cause });
  }
};
