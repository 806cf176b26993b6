import { AF_INET } from '../netlink/constants.ts';
import type { Message } from '../netlink/message.ts';
import type { SocketPool } from '../netlink/pool.ts';
import type { Family } from '../rtnetlink/notation.ts';
import { CT_GET } from './constants.ts';
import { dumpAll, dumpFitting } from './filter.ts';
import { decodeFlow } from './flow.ts';
import { commonOf, fitsAny, type Pattern } from './match.ts';

/**
 * Asks the kernel for the tracked connections that fit one of the patterns at least.
 * @param isOneCheaper where the patterns are of several containers: one dump for all of them is, rather than one for each
 * @returns the payloads of the answers; a flow that two patterns fit may come twice
 * @throws NetlinkError when the kernel refuses
 */
export async function findFlows(
  pool: SocketPool,
  family: Family,
  patterns: readonly Pattern[],
  isOneCheaper: boolean,
): Promise<readonly Buffer[]> {
  if (patterns.length === 0) return [];
  const isWanted = fitsAny(patterns);
  // Also what the kernel has filtered is looked at: older ones do not know how to.
  const keep = ({ type, payload }: Message): boolean => {
    if (type >> 8 !== CT_GET >> 8) return false;
    const flow = decodeFlow(payload);
    return flow !== undefined && isWanted(flow);
  };
  const common = commonOf(patterns);
  const inOne = isOneCheaper || (family === AF_INET && isOfOne(common));
  const each = inOne ? undefined : dumpsFitting(family, patterns);
  const dumps = (each ?? [dumpFitting(family, common) ?? dumpAll(family)]).map(payload =>
    pool.dump({ type: CT_GET, payload, operation: 'dump of connections', keep }),
  );
  return (await Promise.all(dumps)).flat().map(({ payload }) => payload);
}

/**
 * Whether patterns that have this in common are all of one container, as its ports are: its flows are few among those of a host, and by its address the
 * kernel leaves out the rest (an IPv6 address it cannot be told, see dumpFitting()).
 */
const isOfOne = ({ original, reply }: Pattern): boolean =>
  [original, reply].some(({ source, destination }) => (source ?? destination) !== undefined);

/** @returns undefined where the kernel cannot be told one of the patterns */
function dumpsFitting(family: Family, patterns: readonly Pattern[]): readonly Buffer[] | undefined {
  const each = patterns.flatMap(pattern => dumpFitting(family, pattern) ?? []);
  return each.length < patterns.length ? undefined : each;
}
