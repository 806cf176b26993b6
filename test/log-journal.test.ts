import { execFileSync } from 'node:child_process';
import { fstatSync, openSync } from 'node:fs';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLog, isJournal, type LogFormat } from '../src/log.ts';

const journalled = (format: LogFormat, write: (log: ReturnType<typeof createLog>) => void): string[] => {
  const chunks: string[] = [];
  const destination = new Writable({
    write: (chunk, _encoding, done) => {
      chunks.push(String(chunk));
      done();
    },
  });
  write(createLog({ level: 'debug', format, destination, journal: true }));
  return chunks;
};

describe('lines for the journal', () => {
  it('begin with the priority of syslog(3) and have neither time nor level in words', () => {
    const lines = journalled('text', log => {
      log.error('it broke', { why: 'no space' });
      log.warn('it may break');
      log.info('NetworkDriver.Join', { outcome: 'ok', ms: 1.5 });
      log.debug('asked');
    });
    expect(lines).toEqual([
      '<3>it broke why="no space"\n',
      '<4>it may break\n',
      '<6>NetworkDriver.Join outcome=ok ms=1.5\n',
      '<7>asked\n',
    ]);
  });

  it('stay one line, so that no message makes a second entry', () => {
    expect(journalled('text', log => log.info('first\n<0>second', { key: 'a\n<0>b' }))).toEqual([
      '<6>first <0>second key="a\\n<0>b"\n',
    ]);
  });

  it('are JSON where that was asked for', () => {
    const [line = ''] = journalled('json', log => log.warn('careful'));
    expect(JSON.parse(line)).toMatchObject({ level: 'warn', message: 'careful' });
  });
});

describe('whether output goes to the journal', () => {
  const fd = openSync('/dev/null', 'w');
  const { dev, ino } = fstatSync(fd);

  it('is told by the stream that systemd names', () => {
    expect(isJournal({ JOURNAL_STREAM: `${dev}:${ino}` }, fd)).toBe(true);
    // As coreutils see it, and so systemd.
    const seen = execFileSync('stat', ['-L', '-c', '%d:%i', '/dev/null'], { encoding: 'utf8' }).trim();
    expect(isJournal({ JOURNAL_STREAM: seen }, fd)).toBe(true);
  });

  it('is not so where output was redirected since, or nothing is named', () => {
    expect(isJournal({ JOURNAL_STREAM: `${dev}:${ino + 1}` }, fd)).toBe(false);
    expect(isJournal({ JOURNAL_STREAM: '' }, fd)).toBe(false);
    expect(isJournal({}, fd)).toBe(false);
    expect(isJournal({ JOURNAL_STREAM: '1:1' }, 9999)).toBe(false);
  });
});
