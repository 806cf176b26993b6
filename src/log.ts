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

const readable = format.printf(({ timestamp, level, message, ...fields }) =>
  [
    timestamp,
    level.toUpperCase().padEnd(5),
    oneLine(String(message)),
    ...Object.entries(fields).flatMap(field),
  ].join(' '),
);

/**
 * The daemon's log.
 * @param options.level the least grave level that is written
 * @param options.format `json`: one object a line; `text`: one line to read, `key=value`
 * @param options.destination where to write; without it standard output, and standard error for errors (what a
 *   managed plugin's engine expects)
 */
export const createLog = (options: {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly destination?: Writable;
}): Log =>
  createLogger({
    level: options.level,
    format: format.combine(format.timestamp(), options.format === 'json' ? format.json() : readable),
    transports: [
      options.destination === undefined
        ? new transports.Console({ stderrLevels: ['error'] })
        : new transports.Stream({ stream: options.destination }),
    ],
  });
