import { portText } from '../host-state/ops.ts';
import { ANY4, ANY6, type WantedPort } from './wanted.ts';

/**
 * Two ports of one container on one port of the host: where both want the same address the kernel has no quarrel with it, for the
 * holder is the same.
 * @returns what is wrong, in words; undefined when nothing is
 */
export function ownClash(wanted: readonly WantedPort[]): string | undefined {
  const seen = new Map<string, { readonly address: string; readonly port: number }[]>();
  for (const { protocol, port, addresses, first, last } of wanted) {
    if (first === 0 || last > first) continue;
    const key = `${protocol} ${first}`;
    const others = seen.get(key) ?? [];
    seen.set(key, others);
    for (const address of addresses) {
      const other = others.find(one => one.port !== port && overlap(one.address, address));
      if (other !== undefined) {
        const text = portText({ protocol, address, port: first });
        return `port ${text} is asked for twice, for ports ${other.port} and ${port}`;
      }
      others.push({ address, port });
    }
  }
  return undefined;
}

/** Whether one of two bare addresses is the other, or stands for it. */
const overlap = (one: string, other: string): boolean =>
  one === other ||
  (one.includes(':') === other.includes(':') && [ANY4, ANY6].some(any => one === any || other === any));
