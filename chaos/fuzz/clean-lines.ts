import { Writable } from 'node:stream';

/** One whole line, and nothing in it that a terminal would obey. */
const CLEAN = /^[^\p{Cc}\u2028\u2029]*$/u;
const SHOWN = 300;

/** Takes a log in, and tells what of it should not be there: lines that are faked or obeyed by a terminal, and errors. */
export function cleanLines(found: (defect: string) => void): Writable {
  let rest = '';
  return new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, _encoding, done) => {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (!CLEAN.test(line)) found(`the log has no clean line: ${JSON.stringify(line.slice(0, SHOWN))}`);
        if (/^\S+ ERROR/.test(line)) found(`an error in the log: ${line.slice(0, SHOWN)}`);
      }
      done();
    },
  });
}
