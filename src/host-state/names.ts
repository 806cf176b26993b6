import { hash } from 'node:crypto';

/**
 * Names of the links tsnet makes: `ts`, a letter for what it is, and ten digits of a hash of the id, for a link name
 * has 15 bytes at most (IFNAMSIZ) and ids have 25 or 64 characters that may begin alike.
 */
function name(letter: string, id: string): string {
  let digits = hashes.get(id);
  if (digits === undefined) {
    if (hashes.size === MOST_HASHES) hashes.clear();
    digits = hash('sha256', id, 'hex').slice(0, 10);
    hashes.set(id, digits);
  }
  return `ts${letter}${digits}`;
}

/** Hashes of ids of late: a call asks for the same ones a dozen times. */
const hashes = new Map<string, string>();
const MOST_HASHES = 1024;

export const bridgeName = (networkId: string): string => name('b', networkId);
export const dummyName = (networkId: string): string => name('d', networkId);
export const shimName = (parent: string): string => name('s', parent);
/** Host end of an endpoint's veth pair. */
export const portName = (endpointId: string): string => name('v', endpointId);
/** The end, or macvlan link, that the engine moves into the container. */
export const containerLinkName = (endpointId: string): string => name('c', endpointId);

/**
 * Whether a text can be the name of a link that tsnet makes or looks up. Stricter than the kernel (which takes any
 * byte but NUL, `/` and white space), so that a name never means anything to nft, a path or a terminal.
 */
export const isLinkName = (text: string): boolean =>
  /^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}$/.test(text) && text !== 'all' && text !== 'default';
