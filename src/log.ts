import { fstatSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { createLogger, format, type Logger, transports } from 'winston';

export type Log = Logger;
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFormat = 'json' | 'text';

/** Text that stays bare in the readable form; anything else is quoted, so that nothing can fake a line or a field. */
const BARE = /^[\w.:/,@+*%<>()-]+$/;
/** JSON leaves DEL, the C1 controls and Unicode's line ends as they are; terminals do not. */
const escapeRest = (json: string): string =>
  json.replace(
    /[\p{Cc}\u2028\u2029]/gu,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
const quote = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return BARE.test(text) ? text : escapeRest(JSON.stringify(text));
};

const field = ([key, value]: [string, unknown]): string[] => {
  const empty = value === undefined || value === '' || (typeof value === 'object' && written(value) === '');
  return empty ? [] : [`${quote(key)}=${written(value)}`];
};

const written = (value: unknown): string => {
  if (Array.isArray(value)) return value.length === 0 ? '' : `[${value.map(written).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return quote(value);
  const inner = Object.entries(value).flatMap(field);
  return inner.length === 0 ? '' : `{${inner.join(' ')}}`;
};

const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');

const sentence = ({ message, fields }: { message: unknown; fields: object }): string =>
  [oneLine(String(message)), ...Object.entries(fields).flatMap(field)].join(' ');

const readable = format.printf(({ timestamp, level, message, ...fields }) =>
  [timestamp, level.toUpperCase().padEnd(5), sentence({ message, fields })].join(' '),
);

/** Severities of syslog(3), which the journal knows a line by. */
const PRIORITIES: Readonly<Record<string, number>> = { error: 3, warn: 4, info: 6, debug: 7 };

/** Prefixed as sd-daemon(3) says, for `journalctl -p warning`; the journal has the time of its own. */
const journalled = format.printf(
  ({ level, message, ...fields }) => `<${PRIORITIES[level]}>${sentence({ message, fields })}`,
);

const STDOUT = 1;

/**
 * Whether what this process writes goes straight to systemd's journal, whose stream is named to it by device and inode
 * (systemd.exec(5), `$JOURNAL_STREAM`): standard output may have been redirected since.
 * @param fd standard output or standard error
 */
export function isJournal(env: NodeJS.ProcessEnv = process.env, fd: number = STDOUT): boolean {
  const named = env['JOURNAL_STREAM'];
  if (named === undefined || named === '') return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return named === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/**
 * The daemon's log.
 * @param options.level the least grave level that is written
 * @param options.format `json`: one object a line; `text`: one line to read, `key=value`
 * @param options.destination where to write; without it standard output, and standard error for errors (what a
 *   managed plugin's engine expects)
 * @param options.journal whether lines of text are for the journal; without it, whether standard output is that
 */
export const createLog = (options: {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly destination?: Writable;
  readonly journal?: boolean;
}): Log => {
  const { level, destination, journal = destination === undefined && isJournal() } = options;
  const text = journal ? journalled : format.combine(format.timestamp(), readable);
  return createLogger({
    level,
    format: options.format === 'json' ? format.combine(format.timestamp(), format.json()) : text,
    transports: [
      destination === undefined
        ? new transports.Console(journal ? {} : { stderrLevels: ['error'] })
        : new transports.Stream({ stream: destination }),
    ],
  });
};
