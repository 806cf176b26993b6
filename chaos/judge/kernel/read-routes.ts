import ipaddr from 'ipaddr.js';
import type { NeighbourView, RouteView } from './types.ts';

/** @param rows what `ip -j route show table all` printed, of both families */
export function readRoutes(rows: unknown): RouteView[] {
  return (rows as Record<string, string | undefined>[]).map(row => {
    const texts = [row['dst'], row['gateway'], row['prefsrc']];
    const family = texts.some(text => text?.includes(':')) ? 6 : 4;
    return {
      family,
      destination: readDestination(family, row['dst'] ?? ''),
      link: row['dev'] ?? '',
      gateway: row['gateway'] ?? '',
      source: row['prefsrc'] ?? '',
      protocol: row['protocol'] ?? '',
      table: row['table'] ?? 'main',
    };
  });
}

/** A route to one address is printed without its length. */
function readDestination(family: 4 | 6, text: string): string {
  if (!/^[0-9a-f.:]+(\/\d+)?$/i.test(text)) return text;
  const [address = '', length = family === 4 ? '32' : '128'] = text.split('/');
  return `${ipaddr.parse(address)}/${length}`;
}

interface Neighbour {
  dst: string;
  dev?: string;
  lladdr?: string;
  state?: string[];
}

/** @param rows what `ip -j neigh` printed. @param proxy whether it was asked for proxies */
export const readNeighbours = (rows: unknown, proxy: boolean): NeighbourView[] =>
  (rows as Neighbour[]).map(({ dst, dev, lladdr, state }) => ({
    link: dev ?? '',
    address: ipaddr.parse(dst).toString(),
    mac: lladdr ?? '',
    permanent: state?.includes('PERMANENT') ?? false,
    reachable: state?.includes('REACHABLE') ?? false,
    proxy,
  }));
