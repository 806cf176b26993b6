import type { Lab } from '../../test/lab/lab.ts';
import type { LabNode } from '../../test/lab/node.ts';

/** How often what has not answered is asked again: a machine full of starting containers is slow. */
const ATTEMPTS = 4;

/**
 * Asks every address by ping from the host, and every port of the host by a connection from the LAN.
 * @param addresses bare
 * @returns what has not answered: `198.18.64.7`, `198.18.0.11:20004`
 */
export async function unreached(
  { lan, hosts: [host] }: Lab,
  addresses: readonly string[],
  ports: readonly number[],
): Promise<string[]> {
  if (host === undefined) return [];
  const [silent, closed] = await Promise.all([
    failing(host, 'ping -c1 -W2 $it', addresses),
    failing(lan, `timeout 2 bash -c ": < /dev/tcp/${host.address}/$it"`, ports.map(String)),
  ]);
  return [...silent, ...closed.map(port => `${host.address}:${port}`)];
}

/** Runs a line of shell for each item, all at once. @returns those for which it has failed, and failed again */
async function failing(node: LabNode, line: string, items: readonly string[]): Promise<string[]> {
  let left = [...items];
  for (let attempt = 0; attempt < ATTEMPTS && left.length > 0; attempt++) {
    const script = `for it in ${left.join(' ')}; do { ${line} || echo $it >&3; } > /dev/null 2>&1 & done 3>&1; wait`;
    left = String((await node.sh(script)).stdout)
      .split('\n')
      .filter(Boolean);
  }
  return left;
}
