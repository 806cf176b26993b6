import { canonicalCidr, formatAddress, formatCidr, parseAddress, parseCidr } from '../addresses.ts';
import { TsnetError } from '../errors.ts';
import { isLinkName } from '../host-state/names.ts';
import { remembered } from '../remembered.ts';

/** Types of the parts of keys and values, as nft names them; `ipvN_net` is its address in a set of intervals. */
export type Field =
  | 'ifname'
  | 'inet_proto'
  | 'inet_service'
  | 'ipv4_addr'
  | 'ipv6_addr'
  | 'ipv4_net'
  | 'ipv6_net';

const PROTOCOLS: ReadonlySet<string> = new Set(['tcp', 'udp', 'sctp']);

/** Whether keys of these fields stand for more than one value each. */
export const isInterval = (fields: readonly Field[]): boolean => fields.some(field => field.endsWith('_net'));

/** The type by which a set is declared. */
export const nftType = (field: Field): string => field.replace('_net', '_addr');

/**
 * One part of a key or value in its one canonical text: addresses as RFC 5952 has them, networks with prefix length.
 * @throws TsnetError OPTION_INVALID for an interface name that isLinkName refuses, ADDRESS_INVALID for what is no
 * address of the field's family or has host bits that its prefix does not cover, INTERNAL for another protocol than
 * tcp, udp and sctp and for a port outside of 1 to 65535
 */
export function checkField(field: Field, text: string): string {
  switch (field) {
    case 'ifname':
      return checkName(text);
    case 'inet_proto':
      if (PROTOCOLS.has(text)) return text;
      throw new TsnetError('INTERNAL', `${JSON.stringify(text)} is no protocol with ports`);
    case 'inet_service':
      if (/^[1-9]\d{0,4}$/.test(text) && Number(text) <= 0xffff) return text;
      throw new TsnetError('INTERNAL', `${JSON.stringify(text)} is no port`);
    case 'ipv4_addr':
    case 'ipv6_addr': {
      const { family, canonical } = readAddress(text);
      if (field === `ipv${family}_addr`) return canonical;
      throw wrongFamily(field, text);
    }
    case 'ipv4_net':
    case 'ipv6_net': {
      const cidr = parseCidr(text);
      if (field !== `ipv${cidr.family}_net`) throw wrongFamily(field, text);
      if (cidr.address === cidr.network) return formatCidr(cidr);
      // nft would clear the bits without a word, and the element would not be found again in a listing.
      const remedy = `Write it as ${canonicalCidr(text, { network: true })}.`;
      throw new TsnetError('ADDRESS_INVALID', `${text} has host bits`, { remedy });
    }
  }
}

/** Addresses that are remembered: all ports of a container lead to the same few. */
const MOST_KNOWN = 256;
const readAddress = remembered(MOST_KNOWN, (text: string) => {
  const { family, value } = parseAddress(text);
  return { family, canonical: formatAddress(family, value) };
});

/** The part as it stands in nft text, after checkField(): names in quotes, or `drop` would be a word of nft. */
export const quoteField = (field: Field, text: string): string => (field === 'ifname' ? `"${text}"` : text);

/**
 * @returns the name
 * @throws TsnetError OPTION_INVALID for an interface name that isLinkName refuses
 */
export function checkName(name: string): string {
  if (isLinkName(name)) return name;
  throw new TsnetError('OPTION_INVALID', `${JSON.stringify(name)} cannot be named in a firewall rule`, {
    remedy: 'Give the link a name of at most 15 letters, digits and the characters _ . @ -.',
  });
}

const wrongFamily = (field: Field, text: string): TsnetError =>
  new TsnetError('ADDRESS_INVALID', `${text} is no IPv${field[3]} address`);
