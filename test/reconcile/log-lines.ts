import { Writable } from 'node:stream';
import { createLog, type Log } from '../../src/log.ts';

/** A log, and the lines written to it: `warn: words`. */
export function logLines(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const destination = new Writable({
    write: (chunk, _encoding, done) => {
      const { level, message } = JSON.parse(String(chunk));
      lines.push(`${level}: ${message}`);
      done();
    },
  });
  return { log: createLog({ level: 'debug', format: 'json', destination }), lines };
}
