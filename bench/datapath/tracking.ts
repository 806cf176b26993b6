import type { Place } from './agents.ts';

const TIMEOUTS = '/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_';

/**
 * Has the conntrack table of a place forget closed connections after a second. It would for two minutes keep each of
 * those that are measured, ten thousand a second, until it is full and every later case pays for that.
 */
export async function forgetSoon({ node, pid }: Place): Promise<void> {
  const line = `for f in ${TIMEOUTS}time_wait ${TIMEOUTS}close; do [ ! -e $f ] || echo 1 > $f; done`;
  // /proc/sys/net is that of the process that opens it
  if (pid === undefined) await node.sh(line);
  else await node.exec('nsenter', ['-t', pid, '-n', 'sh', '-c', line]);
}
