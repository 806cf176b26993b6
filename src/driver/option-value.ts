import { disjointCidrs, parseAddress } from '../addresses.ts';
import { TsnetError } from '../errors.ts';
import { isLinkName } from '../host-state/names.ts';
import type { OptionSpec } from '../options.ts';
import { nearest } from './nearest.ts';

/** Whether the text of an option's value is of the option's type. @throws TsnetError OPTION_INVALID */
export function checkValue(name: string, { type }: OptionSpec, value: string): void {
  const refuse = (wanted: string): never => {
    throw new TsnetError('OPTION_INVALID', `option ${name}=${JSON.stringify(value)} is not ${wanted}`);
  };
  switch (type.kind) {
    case 'boolean':
      if (!TRUE.has(value) && !FALSE.has(value)) refuse('true or false');
      break;
    case 'integer':
      // An empty MTU means "not set", as with the engine's own drivers.
      if (
        value !== '' &&
        (!/^\d{1,9}$/.test(value) || Number(value) < type.min || Number(value) > type.max)
      ) {
        refuse(`a whole number from ${type.min} to ${type.max}`);
      }
      break;
    case 'choice':
      if (!type.values.includes(value))
        refuse(`one of ${type.values.join(', ')}; ${nearest(value, type.values)} is the nearest`);
      break;
    case 'link':
      if (value !== '' && !isLinkName(value))
        refuse('a link name (at most 15 letters, digits, dots, dashes, underscores)');
      break;
    case 'prefix':
      if (!/^[A-Za-z][A-Za-z0-9_-]{0,11}$/.test(value))
        refuse('a letter and up to 11 letters, digits, dashes, underscores');
      break;
    case 'address':
      if (value !== '' && !isReadable(() => parseAddress(value))) refuse('an IP address');
      break;
    case 'networks':
      if (networksIn(value).length === 0 || !isReadable(() => disjointCidrs(networksIn(value))))
        refuse('a list of addresses or CIDRs with commas between');
      break;
  }
}

/** The parts of a list with commas. */
export const networksIn = (text: string): string[] =>
  text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '');

function isReadable(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}

/** What Go's strconv.ParseBool takes, for the engine's own drivers read these options with it; `on` and `off` besides. */
const TRUE: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True', 'on']);
const FALSE: ReadonlySet<string> = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False', 'off']);
export const isTrue = (text: string | undefined): boolean => text !== undefined && TRUE.has(text);
