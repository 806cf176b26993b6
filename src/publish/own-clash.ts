import { portText } from '../host-state/ops.ts';
import type { WantedPort } from './wanted.ts';

/**
 * Two ports of one container on one port of the host: the kernel has no quarrel with it, for the holder is the same.
 * @returns what is wrong, in words; undefined when nothing is
 */
export function ownClash(wanted: readonly WantedPort[]): string | undefined {
  const seen = new Map<string, number>();
  for (const { protocol, port, addresses, first, last } of wanted) {
    if (first === 0 || last > first) continue;
    for (const address of addresses) {
      const text = portText({ protocol, address, port: first });
      const other = seen.get(text);
      if (other !== undefined && other !== port)
        return `port ${text} is asked for twice, for ports ${other} and ${port}`;
      seen.set(text, port);
    }
  }
  return undefined;
}
