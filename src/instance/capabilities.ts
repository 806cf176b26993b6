import { readFileSync } from 'node:fs';
import { TsnetError } from '../errors.ts';
import type { Log } from '../log.ts';

/** Numbers in <linux/capability.h>. */
const CAP_NET_ADMIN = 12n;
const CAP_SYS_ADMIN = 21n;

/**
 * Looks at what the process may do before anything is tried, for the kernel's own refusals do not say what is missing.
 * @param status text of /proc/self/status
 * @throws TsnetError CAPABILITY without CAP_NET_ADMIN, with which nothing can be done
 */
export function checkCapabilities(log: Log, status = readFileSync('/proc/self/status', 'utf8')): void {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? 'f'.repeat(16)}`);
  const has = (capability: bigint) => (effective & (1n << capability)) !== 0n;
  if (!has(CAP_NET_ADMIN)) throw new TsnetError('CAPABILITY', 'tsnet runs without CAP_NET_ADMIN');
  if (!has(CAP_SYS_ADMIN)) {
    log.info(
      'without CAP_SYS_ADMIN containers cannot be entered: the engine puts all interfaces there, publish=self fails',
    );
  }
}
