import type { FlowMatch } from '../../host-state/flows.ts';
import { AF_INET, AF_INET6, AF_UNSPEC, NETLINK_NETFILTER } from '../netlink/constants.ts';
import { nfHeader } from '../netlink/netfilter.ts';
import { hasCode } from '../netlink/netlink-error.ts';
import { SocketPool } from '../netlink/pool.ts';
import type { Family } from '../rtnetlink/notation.ts';
import { readSysctl } from '../sysctl.ts';
import { CT_DELETE, CT_GET_STATS } from './constants.ts';
import { flushFitting } from './filter.ts';
import { findFlows } from './find-flows.ts';
import { decodeCount, deleteFlow } from './flow.ts';
import { type Pattern, patternsOf } from './match.ts';

/**
 * So many connections cost as much to be described and read as the kernel's walk through its table does (measured: 5 µs
 * each, 10 ms for a table of 262144 buckets).
 */
const WALK = 2000;
/** So many deletions by the kernel's own search cost what one walk does: it passes over empty buckets without their locks. */
const FLUSHES = 40;
const FAMILIES = [
  [4, AF_INET],
  [6, AF_INET6],
] as const;
/** Deletions in one datagram. */
const BATCH = 100;

/**
 * The tracked connections of a network namespace (ctnetlink). The socket is opened when first needed and kept: a host
 * without nf_conntrack has nothing to forget.
 */
export class Conntrack {
  readonly #path: string | undefined;
  readonly #walk: number;
  #flushes: number;
  #pool: SocketPool | undefined;

  /**
   * @param netnsPath file of a network namespace; the current one when absent
   * @param limits.walk from how many connections on to ask the kernel for each pattern by itself rather than for everything
   * @param limits.flushes how many patterns to have the kernel delete by itself; 0: none
   */
  constructor(netnsPath?: string, limits: { readonly walk?: number; readonly flushes?: number } = {}) {
    this.#path = netnsPath;
    this.#walk = limits.walk ?? WALK;
    this.#flushes = limits.flushes ?? FLUSHES;
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

  [Symbol.dispose](): void {
    this.close();
  }

  async #forget(pool: SocketPool, matches: readonly FlowMatch[]): Promise<void> {
    const count = countAtOnce(pool) ?? (await countFlows(pool));
    if (count === 0) return;
    for (const [number, family] of FAMILIES) {
      const wanted = matches.filter(match => match.family === number).flatMap(patternsOf);
      const patterns = await this.#flush(pool, family, wanted);
      const isOneCheaper = count !== undefined && count < this.#walk * (patterns.length - 1);
      const flows = await findFlows(pool, family, patterns, isOneCheaper);
      await deleteFlows(pool, flows);
    }
  }

  /** @returns the patterns that the kernel does not delete by itself */
  async #flush(pool: SocketPool, family: Family, patterns: readonly Pattern[]): Promise<readonly Pattern[]> {
    if (patterns.length > this.#flushes) return patterns;
    const all = patterns.map(pattern => ({ pattern, payload: flushFitting(family, pattern) }));
    const requests = all.flatMap(({ payload }) =>
      payload === undefined ? [] : [{ type: CT_DELETE, payload, operation: 'deletion of connections' }],
    );
    const { refusals } = await pool.batch(requests);
    if (refusals.some(error => hasCode(error, 'EINVAL'))) {
      // Before Linux 6.8 the kernel takes it for the deletion of one connection, which is not told in full.
      this.#flushes = 0;
      return patterns;
    }
    if (refusals[0] !== undefined) throw refusals[0];
    return all.flatMap(({ pattern, payload }) => (payload === undefined ? [pattern] : []));
  }
}

/** What every forgetting begins with, from a file: here and now it takes a fifth of a request by way of a worker. */
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
