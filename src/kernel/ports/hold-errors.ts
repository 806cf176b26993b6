import { TsnetError } from '../../errors.ts';
import { portText } from '../../host-state/ops.ts';
import type { PortHold, PortProtocol } from '../../host-state/types.ts';
import { hasCode, NetlinkError } from '../netlink/netlink-error.ts';
import { mostDescriptors } from './descriptors.ts';
import type { Port } from './hold-book.ts';

/**
 * What the user is told when a port cannot be held.
 * @param error what the kernel said; anything else is returned as it is
 * @param taker who has a port that is taken, in words
 */
export function explain(hold: PortHold, error: unknown, taker: (port: Port) => string): unknown {
  if (!(error instanceof NetlinkError)) return error;
  const { message } = error;
  const cause: unknown = error;
  if (hasCode(error, 'EADDRINUSE'))
    return new TsnetError('PORT_TAKEN', `port ${portText(hold)} is taken by ${taker(hold)}`, { cause });
  if (hasCode(error, 'EMFILE', 'ENFILE')) {
    const most = `of which tsnet may have ${mostDescriptors()} open`;
    const what = `port ${portText(hold)} cannot be held: it takes a file, ${most}`;
    return new TsnetError('DESCRIPTORS_EXHAUSTED', what, { cause });
  }
  // EINVAL: link-local IPv6 addresses need a link to go with them.
  if (hasCode(error, 'EADDRNOTAVAIL', 'EINVAL')) return notOfHost(hold, cause);
  return new TsnetError('KERNEL', `port ${portText(hold)} cannot be held: ${message}`, { cause });
}

export const notOfHost = (hold: PortHold, cause?: unknown): TsnetError =>
  new TsnetError('HOST_ADDRESS', `port ${portText(hold)} cannot be held: the host has no such address`, {
    cause,
  });

export const noPortFree = (
  protocol: PortProtocol,
  addresses: readonly string[],
  cause?: unknown,
): TsnetError =>
  new TsnetError('PORTS_EXHAUSTED', `no ephemeral ${protocol} port is free on ${addresses.join(' and ')}`, {
    cause,
  });
