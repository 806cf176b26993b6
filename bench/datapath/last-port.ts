import type { LabNode } from '../../test/lab/node.ts';
import type { Driver } from './cases.ts';

/**
 * Of the ports that a container publishes the one that the host finds last. The engine has a rule for each in its chain
 * of the filter, the highest port first, and another in that of translation: in the same order before engine 28, and in
 * the other order since, where the rules of the filter cost more. tsnet has a map, where none is last.
 *
 * @throws Error when the engine has not a rule for each
 */
export async function lastPort(host: LabNode, driver: Driver, first: number, count: number): Promise<number> {
  if (driver === 'tsnet') return first + count - 1;
  const { stdout } = await host.exec('iptables', ['-S', 'DOCKER']);
  const ports = [...String(stdout).matchAll(/--dport (\d+)/g)]
    .map(match => Number(match[1]))
    .filter(port => port >= first && port < first + count);
  if (ports.length !== count) throw new Error(`bench: the engine has ${ports.length} rules of ${count}`);
  return ports.at(-1) ?? first;
}
