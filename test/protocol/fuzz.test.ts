import type { Server } from 'node:http';
import { createServer } from 'node:http';
import fc from 'fast-check';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/errors.ts';
import { setUp } from './fake.ts';
import { SAMPLES } from './samples.ts';

/** Every place of a JSON value: the keys that lead to it. */
const placesOf = (value: unknown, path: readonly string[] = []): (readonly string[])[] => {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, item]) => placesOf(item, [...path, key]))];
};

/** A copy with another value at one place; `undefined` removes it. */
const changed = (value: unknown, path: readonly string[], to: unknown): unknown => {
  const [key, ...rest] = path;
  if (key === undefined) return to;
  const copy: unknown = Array.isArray(value) ? [...value] : { ...(value as object) };
  const record = copy as Record<string, unknown>;
  record[key] = changed(record[key], rest, to);
  return copy;
};

const nasty = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    '',
    '<nil>',
    -1,
    65536,
    1e308,
    '10.0.0.0/-1',
    '::/0',
    '0x7f.1/8',
    'fe80::1%eth0/64',
    '../..',
    '$(reboot)',
    '\0',
    '__proto__',
  ),
  fc.jsonValue(),
  fc.string({ unit: 'binary' }),
  fc.object(),
);

const mutated = fc.constantFrom(...SAMPLES).chain(sample =>
  fc
    .array(fc.tuple(fc.constantFrom(...placesOf(sample.body)), nasty), { minLength: 1, maxLength: 3 })
    .map(changes => ({
      path: sample.path,
      // Later changes may lie inside of what an earlier one replaced; then they extend that.
      body: changes.reduce<unknown>((body, [place, to]) => {
        try {
          return changed(body, place, to);
        } catch {
          return body;
        }
      }, sample.body),
    })),
);

describe('mutated requests', () => {
  const { app, probe } = setUp({ deadlineMs: 5_000 });
  let server: Server;
  beforeAll(() => {
    server = createServer(app).listen(0, '127.0.0.1');
  });
  afterAll(() => void server.close());

  const check = async (path: string, body: string): Promise<void> => {
    const response = await request(server).post(path).send(Buffer.from(body));
    if (response.status === 200) {
      expect(response.body).toBeTypeOf('object');
      return;
    }
    const code = /^([A-Z_]+): /.exec(response.body.Err)?.[1] ?? '';
    expect(ERRORS).toHaveProperty(code);
    expect(['INTERNAL', 'DEADLINE', 'METHOD_UNKNOWN']).not.toContain(code);
    expect(response.status).toBe(400);
    expect(response.body.Error).toBe(response.body.Err);
  };

  it('are answered or refused with a code, never with a defect', async () => {
    await fc.assert(
      fc.asyncProperty(mutated, ({ path, body }) => check(path, JSON.stringify(body) ?? '')),
      { numRuns: 600 },
    );
    // Neither all refused nor all taken, or the mutations would prove little.
    const taken = probe.entries.filter(entry => entry['outcome'] === 'ok').length;
    expect(taken).toBeGreaterThan(20);
    expect(taken).toBeLessThan(probe.entries.length - 20);
    expect(probe.entries.filter(entry => entry.level === 'error')).toEqual([]);
  }, 60_000);

  it('cut or altered anywhere in their text are answered or refused too', async () => {
    const cut = fc.constantFrom(...SAMPLES).chain(sample => {
      const text = JSON.stringify(sample.body);
      return fc.tuple(fc.nat(text.length), fc.nat(4), fc.string({ maxLength: 4 })).map(([at, gone, put]) => ({
        path: sample.path,
        body: text.slice(0, at) + put + text.slice(at + gone),
      }));
    });
    await fc.assert(
      fc.asyncProperty(cut, ({ path, body }) => check(path, body)),
      { numRuns: 300 },
    );
  }, 60_000);
});
