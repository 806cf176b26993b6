import type { PortBinding } from './types.ts';

/** As many digits of an id as docker itself shows. */
const SHORT_ID = 12;
/** A published range can have 65,535 entries; an entry of the log should not. */
const SHOWN_ITEMS = 8;

/** The id as docker shows it; other text stays as it is. */
export const shortId = (text: string): string =>
  /^(?:[0-9a-f]{64}|[0-9a-z]{25})$/.test(text) ? text.slice(0, SHORT_ID) : text;

const isPort = (value: object): value is PortBinding => 'protocol' in value && 'hostPortEnd' in value;

const portText = (port: PortBinding): string => {
  const range = port.hostPort === port.hostPortEnd ? '' : `-${port.hostPortEnd}`;
  return `${port.hostIp ?? '*'}:${port.hostPort}${range}->${port.port}/${port.protocol}`;
};

const isEmpty = (value: unknown): boolean =>
  value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);

/**
 * What was asked, for the log: ids shortened, ports as docker writes them, empty parts left out, long lists cut.
 * @param value a decoded request
 */
export const summarise = (value: unknown): unknown => {
  if (typeof value === 'string') return shortId(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const shown = value.slice(0, SHOWN_ITEMS).map(summarise);
    return value.length > SHOWN_ITEMS ? [...shown, `${value.length - SHOWN_ITEMS} more`] : shown;
  }
  if (isPort(value)) return portText(value);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => !isEmpty(item))
      .map(([key, item]) => [key, summarise(item)]),
  );
};
