import type { Network } from '../model.ts';
import type { Saved } from '../purge/saved.ts';

/**
 * What is said of networks that are in the way of a purge.
 * @param names of the networks that the engine has, by id; undefined where it was not asked or did not answer
 */
export function existingText(saved: Saved, names: ReadonlyMap<string, string> | undefined): string {
  const { endpoints } = saved;
  const networks = saved.networks.toSorted((a, b) => (nameOf(a, names) < nameOf(b, names) ? -1 : 1));
  const lines = networks.map(network => {
    const joined = endpoints.filter(one => one.networkId === network.id && one.joined).length;
    const gone = names !== undefined && !names.has(network.id) ? ', unknown to the engine' : '';
    return `  ${nameOf(network, names)}: ${kindOf(network)}, ${count(joined, 'container')}${gone}`;
  });
  const known = networks.filter(({ id }) => names?.has(id) !== false);
  const rm = `docker network rm ${known.map(network => quote(nameOf(network, names))).join(' ')}`;
  return [
    `tsnet: nothing is removed: ${count(networks.length, 'network')} of tsnet ${networks.length === 1 ? 'exists' : 'exist'}`,
    ...lines,
    ...(known.length > 0 ? [`Remove what you do not need: ${rm}`] : []),
    'Or give it all up, with the interfaces of containers: tsnet purge --force',
  ].join('\n');
}

const nameOf = ({ id, name }: Network, names: ReadonlyMap<string, string> | undefined): string =>
  printable(names?.get(id) ?? name ?? id.slice(0, 12));

const kindOf = ({ options, base }: Network): string =>
  base.kind === 'foreign' ? `${options.mode} on ${base.link}` : options.mode;

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

/** The engine takes names of networks with control characters in them, which a terminal would obey. */
const printable = (name: string): string => name.replace(/\p{C}/gu, '\u{fffd}');

const quote = (name: string): string =>
  /^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
