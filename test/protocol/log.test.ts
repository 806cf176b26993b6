import { Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLog, type LogFormat } from '../../src/log.ts';

const written = (format: LogFormat, write: (log: ReturnType<typeof createLog>) => void): string => {
  const chunks: string[] = [];
  const destination = new Writable({
    write: (chunk, _encoding, done) => {
      chunks.push(String(chunk));
      done();
    },
  });
  write(createLog({ level: 'info', format, destination }));
  return chunks.join('');
};

describe('the readable form', () => {
  it('is one line of key=value, without what is empty', () => {
    const line = written('text', log =>
      log.info('NetworkDriver.Join', {
        outcome: 'ok',
        ms: 1.25,
        object: 'endpoint web of network lan',
        asked: { networkId: '84795a000000', ports: [] },
        changed: ['link ts1 added'],
        warnings: [],
        error: undefined,
      }),
    );
    expect(line).toMatch(
      /^\S+Z INFO {2}NetworkDriver\.Join outcome=ok ms=1\.25 object="endpoint web of network lan" asked=\{networkId=84795a000000\} changed=\["link ts1 added"\]\n$/,
    );
  });

  it('stays one line whatever is in it', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, text, fc.array(text), (message, value, list) => {
        const line = written('text', log => log.warn(message, { value, list, deep: { [value]: value } }));
        expect(line.split('\n')).toHaveLength(2);
        expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      }),
      { examples: [['\x9b', '\x7f', ['\u2028']]] },
    );
  });
});

it('writes one object a line as JSON, and nothing below its level', () => {
  const lines = written('json', log => {
    log.debug('hidden');
    log.info('two\nlines', { list: ['a', 'b'] });
  }).split('\n');
  expect(lines).toHaveLength(2);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'info',
    message: 'two\nlines',
    list: ['a', 'b'],
  });
});
