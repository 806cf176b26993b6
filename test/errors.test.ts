import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERRORS, type ErrorCode, TsnetError } from '../src/errors.ts';

const CODES = Object.keys(ERRORS) as ErrorCode[];
const SRC = new URL('../src/', import.meta.url);

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter(path => path.endsWith('.ts') && path !== 'errors.ts')
  .map(path => readFileSync(new URL(path, SRC), 'utf8'));

describe.each(CODES)('%s', code => {
  const { status, cause, remedy } = ERRORS[code];

  it('has a status, a cause and a remedy, in whole sentences', () => {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    for (const sentence of [cause, remedy]) {
      expect(sentence).toMatch(/^[A-Za-z].*[^.]\.$/);
      expect(sentence).not.toMatch(/\n|\s{2}/);
    }
  });

  it('is used somewhere', () => {
    expect(sources.some(text => text.includes(`'${code}'`))).toBe(true);
  });
});

describe('TsnetError', () => {
  // Its message is printed on the user's terminal, which obeys them.
  it('says no control characters of a request', () => {
    const error = new TsnetError('PARENT_MISSING', 'parent \u009b2J\u007f\u202e\n does not exist');
    expect(error.message).toMatch(/^PARENT_MISSING: parent \\u009b2J\\u007f\\u202e\\u000a does not exist/);
  });

  it('says its code, what happened to which object, and what to do', () => {
    const error = new TsnetError('PARENT_MISSING', 'parent eth9 does not exist');
    expect(error.message).toBe(
      'PARENT_MISSING: parent eth9 does not exist. See ip link for the names; the message lists them.',
    );
    expect(error).toMatchObject({
      name: 'TsnetError',
      code: 'PARENT_MISSING',
      what: 'parent eth9 does not exist',
      remedy: ERRORS.PARENT_MISSING.remedy,
      status: 400,
    });
    expect(error).toBeInstanceOf(Error);
    expect('cause' in error).toBe(false);
  });

  it('takes a better remedy, and keeps the error underneath', () => {
    const cause = new Error('EPERM');
    const error = new TsnetError('KERNEL', 'link tsb1', { cause, remedy: 'Run it as root.' });
    expect(error.message).toBe('KERNEL: link tsb1. Run it as root.');
    expect(error.cause).toBe(cause);
  });

  it.each(CODES)('%s reads alike', code => {
    const error = new TsnetError(code, 'this and that');
    expect(error.message).toBe(`${code}: this and that. ${ERRORS[code].remedy}`);
    expect(error.status).toBe(ERRORS[code].status);
  });
});
