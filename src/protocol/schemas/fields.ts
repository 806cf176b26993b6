import { z } from 'zod';
import { canonicalCidr, type Family, familyOf, formatAddress, parseAddress } from '../../addresses.ts';
import { TsnetError } from '../../errors.ts';
import { coded } from './coded.ts';

/** What Go prints for an absent `net.IPNet`; the engine's own IPAM lets it through for aux addresses. */
const GO_NIL = '<nil>';

/** Longer input is cut in messages: it comes from outside and goes to the user's terminal. */
const SHOWN_LENGTH = 64;
const shown = (value: string): string =>
  JSON.stringify(value.length > SHOWN_LENGTH ? `${value.slice(0, SHOWN_LENGTH)}…` : value);

/** A string field that Go writes as "" when unset and that null or absence mean the same for. */
export const optional = z
  .string()
  .nullish()
  .transform(text => (text === '' || text === null ? undefined : text));

/** A boolean that is false when null or absent. */
export const flag = z
  .boolean()
  .nullish()
  .transform(value => value ?? false);

/** A Go `map[string]string`, which is null when nil. */
export const stringMap = z
  .record(z.string(), z.string())
  .nullish()
  .transform((map): Record<string, string> => map ?? {});

const checkId = (text: string): string => {
  // Swarm networks have 25 digits of base 36, everything else 64 of base 16.
  if (/^(?:[0-9a-f]{64}|[0-9a-z]{25})$/.test(text)) return text;
  throw new TsnetError('ID_INVALID', `${shown(text)} is no network or endpoint id`);
};
export const id = z.string().transform(coded(checkId));

const checkMac = (text: string): string => {
  const mac = text.toLowerCase();
  const bad = (why: string): TsnetError => new TsnetError('MAC_INVALID', `${shown(text)} ${why}`);
  if (!/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/.test(mac)) throw bad('is no MAC address');
  if ((Number.parseInt(mac.slice(0, 2), 16) & 1) === 1) throw bad('is a multicast address');
  if (mac === '00:00:00:00:00:00') throw bad('is the zero address');
  return mac;
};
export const optionalMac = optional.pipe(z.string().transform(coded(checkMac)).optional());

/** No address or CIDR is longer; what is would only make a long message. */
const checkLength = (text: string): string => {
  if (text.length <= SHOWN_LENGTH) return text;
  throw new TsnetError('ADDRESS_INVALID', `${shown(text)} is no address`);
};
const ofFamily = (text: string, family: Family | undefined): string => {
  const actual = familyOf(text);
  if (family === undefined || family === actual) return text;
  throw new TsnetError('ADDRESS_INVALID', `${text} is of IPv${actual} where IPv${family} belongs`);
};
const canonicalAddress = (text: string): string => {
  const { family, value } = parseAddress(checkLength(text));
  return formatAddress(family, value);
};
const checkCidr = (family?: Family) => (text: string) => ofFamily(canonicalCidr(checkLength(text)), family);
const checkEither = (family: Family) => (text: string) =>
  text.includes('/') ? checkCidr(family)(text) : ofFamily(canonicalAddress(text), family);

/** CIDR text in canonical form; the host's bits stay, for gateways and endpoints are told in this form too. */
export const cidr = (family?: Family) => z.string().transform(coded(checkCidr(family)));
export const optionalCidr = (family?: Family) => optional.pipe(cidr(family).optional());

/** A bare address in canonical form. */
export const address = z.string().transform(coded(canonicalAddress));
export const optionalAddress = optional.pipe(address.optional());

/** Name to CIDR or bare address, without those that have none. */
export const auxAddresses = (family: Family) =>
  stringMap
    .transform(map =>
      Object.fromEntries(Object.entries(map).filter(([, text]) => text !== '' && text !== GO_NIL)),
    )
    .pipe(z.record(z.string(), z.string().transform(coded(checkEither(family)))));

const checkSandbox = (text: string): string => {
  // The engine's exec root may be anywhere, so only the form is checked: absolute, normal, printable.
  const normal = text.startsWith('/') && !/\/(?:\.{0,2})(?:\/|$)/.test(text);
  if (normal && text.length < 4096 && !/[\p{Cc}]/u.test(text)) return text;
  throw new TsnetError('BODY_INVALID', `${shown(text)} is no absolute path of a sandbox`);
};
/** Path of a network namespace, never with `.` or `..` in it. */
export const sandboxPath = z.string().transform(coded(checkSandbox));
