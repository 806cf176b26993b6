import { statSync } from 'node:fs';
import { execa } from 'execa';
import { readLinks } from './read-links.ts';
import { readNeighbours, readRoutes } from './read-routes.ts';
import { readTable } from './read-table.ts';
import type { NamespaceView } from './types.ts';

/** Ends what one program has printed, and what was printed of one namespace. */
const PROGRAM = '\x1e';
const NAMESPACE = '\x1d';

/** As few processes as will do: a look takes as long as they take to start. */
const SCRIPT = `for path; do
  nsenter --net="$path" ip -j -d -batch - <<< 'address show
route show table all
neigh show
neigh show proxy'
  printf '${PROGRAM}'
  nsenter --net="$path" nft -j list table inet tsnet 2> /dev/null
  printf '${NAMESPACE}'
done`;

/**
 * Lists network namespaces.
 * @param paths of the namespaces' files
 * @returns in their order; undefined for what cannot be entered
 */
export async function readNamespaces(paths: readonly string[]): Promise<(NamespaceView | undefined)[]> {
  const { stdout } = await execa('bash', ['-c', SCRIPT, 'bash', ...paths], { reject: false });
  const answers = stdout.split(NAMESPACE);
  return paths.map((path, at) => {
    const [ip = '', table = ''] = answers[at]?.split(PROGRAM) ?? [];
    const [links, routes, neighbours, proxies] = ip.trim().split('\n').map(parse);
    const id = identify(path);
    if (id === undefined || proxies === undefined) return undefined;
    return {
      id,
      links: readLinks(links),
      routes: readRoutes(routes),
      neighbours: [...readNeighbours(neighbours, false), ...readNeighbours(proxies, true)],
      table: readTable(table),
    };
  });
}

/** `net:[inode]`, as the kernel names a namespace. */
function identify(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && `net:[${stats.ino}]`;
}

const parse = (line: string): unknown => (line === '' ? undefined : JSON.parse(line));
