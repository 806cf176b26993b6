import type { FlowMatch } from '../../host-state/flows.ts';
import { AF_INET, AF_INET6, AF_UNSPEC, NETLINK_NETFILTER } from '../netlink/constants.ts';
import type { Message } from '../netlink/message.ts';
import { hasCode } from '../netlink/netlink-error.ts';
import { SocketPool } from '../netlink/pool.ts';
import type { Family } from '../rtnetlink/notation.ts';
import { readSysctl } from '../sysctl.ts';
import { CT_DELETE, CT_GET, CT_GET_STATS } from './constants.ts';
import { dumpAll, dumpFitting } from './filter.ts';
import { decodeCount, decodeFlow, deleteFlow, nfHeader } from './flow.ts';
import { fits, type Pattern, patternsOf } from './match.ts';

/**
 * So many connections cost as much to be described and read as the kernel's walk through its table does (measured: 5 µs
 * each, 10 ms for a table of 262144 buckets).
 */
const WALK = 2000;
const FAMILIES = [
  [4, AF_INET],
  [6, AF_INET6],
] as const;
/** Deletions in one datagram. */
const BATCH = 100;
/** So many connections fit into the first part of a dump: some hundred bytes each, and a page at least. */
const ONE_PART = 12;

/**
 * The tracked connections of a network namespace (ctnetlink). The socket is opened when first needed and kept: a host
 * without nf_conntrack has nothing to forget.
 */
export class Conntrack {
  readonly #path: string | undefined;
  readonly #walk: number;
  #pool: SocketPool | undefined;

  /**
   * @param netnsPath file of a network namespace; the current one when absent
   * @param walk from how many connections on to ask the kernel for each pattern by itself rather than for everything
   */
  constructor(netnsPath?: string, walk = WALK) {
    this.#path = netnsPath;
    this.#walk = walk;
  }

  /**
   * Ends the tracked connections that match, one at least of the matches each. Those that are gone meanwhile are no error.
   * @throws NetlinkError when the kernel refuses
   */
  async forget(matches: readonly FlowMatch[]): Promise<void> {
    if (matches.length === 0) return;
    try {
      this.#pool ??= new SocketPool(this.#path, 1, NETLINK_NETFILTER);
      await this.#forget(this.#pool, matches);
    } catch (error) {
      // Neither netfilter's netlink nor, in it, conntrack's: nfnetlink answers EINVAL for a subsystem that is not there.
      if (!hasCode(error, 'EPROTONOSUPPORT', 'EINVAL')) throw error;
    }
  }

  close(): void {
    this.#pool?.close();
    this.#pool = undefined;
  }

  async #forget(pool: SocketPool, matches: readonly FlowMatch[]): Promise<void> {
    const count = countAtOnce(pool) ?? (await countFlows(pool));
    if (count === 0) return;
    const isShort = count !== undefined && count <= ONE_PART;
    for (const [number, family] of FAMILIES) {
      const patterns = matches.filter(match => match.family === number).flatMap(patternsOf);
      const inOne = count !== undefined && count < this.#walk * (patterns.length - 1);
      const flows = await findFlows(pool, family, patterns, { inOne, isShort });
      await deleteFlows(pool, flows);
    }
  }
}

/** Of what every forgetting begins with: a file that is read here and now takes a fifth of a request by way of a worker. */
function countAtOnce(pool: SocketPool): number | undefined {
  const text = pool.inNamespace(() => readSysctl('net/netfilter/nf_conntrack_count'));
  return text === undefined ? undefined : Number(text);
}

/** @returns undefined where the kernel does not tell */
async function countFlows(pool: SocketPool): Promise<number | undefined> {
  const payload = nfHeader(AF_UNSPEC);
  const [answer] = await pool.request({ type: CT_GET_STATS, payload, operation: 'count of connections' });
  return answer && decodeCount(answer.payload);
}

/**
 * @param how.inOne one dump for all patterns, instead of one for each in which the kernel leaves out the rest
 * @param how.isShort all that there is fits into one part
 * @returns the payloads of the answers; a flow that two patterns fit may come twice
 */
async function findFlows(
  pool: SocketPool,
  family: Family,
  patterns: readonly Pattern[],
  { inOne, isShort }: { readonly inOne: boolean; readonly isShort: boolean },
): Promise<readonly Buffer[]> {
  if (patterns.length === 0) return [];
  // Also what the kernel has filtered is looked at: older ones do not know how to.
  const keep = ({ type, payload }: Message): boolean => {
    if (type >> 8 !== CT_GET >> 8) return false;
    const flow = decodeFlow(payload);
    return flow !== undefined && patterns.some(pattern => fits(pattern, flow));
  };
  const fitting = patterns.map(pattern => dumpFitting(family, pattern));
  const each = fitting.filter(payload => payload !== undefined);
  const payloads = inOne || each.length < fitting.length ? [dumpAll(family)] : each;
  const dumps = payloads.map(payload =>
    pool.dump({ type: CT_GET, payload, operation: 'dump of connections', keep, isShort }),
  );
  return (await Promise.all(dumps)).flat().map(({ payload }) => payload);
}

async function deleteFlows(pool: SocketPool, flows: readonly Buffer[]): Promise<void> {
  for (let start = 0; start < flows.length; start += BATCH) {
    const requests = flows
      .slice(start, start + BATCH)
      .map(flow => ({ type: CT_DELETE, payload: deleteFlow(flow), operation: 'deletion of a connection' }));
    const { refusals } = await pool.batch(requests);
    const refusal = refusals.find(error => !hasCode(error, 'ENOENT'));
    if (refusal !== undefined) throw refusal;
  }
}
