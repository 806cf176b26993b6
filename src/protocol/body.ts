import express, { type RequestHandler } from 'express';
import { TsnetError } from '../errors.ts';

/** Room for every port of a host published, twice: once as port map, once as exposed ports (about 8 MB). */
export const BODY_LIMIT = 16 * 1024 * 1024;

/** Reads the body whatever its content type: the engine sends none. */
export const readBody: RequestHandler = express.raw({ type: () => true, limit: BODY_LIMIT, inflate: false });

/**
 * The JSON of a body.
 * @param body what `readBody` left in the request: bytes, or nothing when there was no body at all
 * @throws TsnetError BODY_EMPTY, BODY_INVALID
 */
export const parseBody = (body: unknown): unknown => {
  if (!Buffer.isBuffer(body) || body.length === 0) {
    throw new TsnetError('BODY_EMPTY', 'the request has no body');
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (cause) {
    throw new TsnetError('BODY_INVALID', 'the body is not UTF-8', { cause });
  }
  if (text.trim() === '') throw new TsnetError('BODY_EMPTY', 'the request has a blank body');
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TsnetError('BODY_INVALID', `the body is no JSON: ${reason}`, { cause });
  }
};
