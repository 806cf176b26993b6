import { afterEach, beforeEach, expect, it } from 'vitest';
import { quantile } from '../../../bench/statistics.ts';
import type { FlowMatch } from '../../../src/host-state/flows.ts';
import { Conntrack } from '../../../src/kernel/conntrack/conntrack.ts';
import * as ct from '../../../src/kernel/conntrack/constants.ts';
import { bytes, nested, u8 } from '../../../src/kernel/netlink/attribute-writer.ts';
import * as nl from '../../../src/kernel/netlink/constants.ts';
import { nfHeader } from '../../../src/kernel/netlink/netfilter.ts';
import { SocketPool } from '../../../src/kernel/netlink/pool.ts';
import { type TestNamespace, testNamespace } from '../namespace.ts';

/** Connections of others. Once each port was compared with each of them: seconds on a busy host. */
const OTHERS = 20_000;

const CT_NEW = ct.CT_GET - 1;
const CTA_TIMEOUT = 7;
const UDP = 17;

let ns: TestNamespace;

beforeEach(async () => {
  ns = await testNamespace();
});
afterEach(() => ns[Symbol.asyncDispose]());

const be16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff);
const be32 = (value: number): Uint8Array =>
  Uint8Array.of(value >>> 24, ...be16((value >> 8) & 0xffff), value & 0xff);

interface End {
  readonly address: Uint8Array;
  readonly port: number;
}

const tuple = (type: number, from: End, to: End): Buffer =>
  nested(
    type,
    nested(ct.CTA_TUPLE_IP, bytes(ct.CTA_IP_V4_SRC, from.address), bytes(ct.CTA_IP_V4_DST, to.address)),
    nested(
      ct.CTA_TUPLE_PROTO,
      u8(ct.CTA_PROTO_NUM, UDP),
      bytes(ct.CTA_PROTO_SRC_PORT, be16(from.port)),
      bytes(ct.CTA_PROTO_DST_PORT, be16(to.port)),
    ),
  );

/** Has the kernel track connections that nobody has made. */
async function trackOthers(count: number): Promise<void> {
  const pool = new SocketPool(ns.path, 1, nl.NETLINK_NETFILTER);
  try {
    for (let start = 0; start < count; start += 50) {
      const requests = Array.from({ length: 50 }, (_, index) => {
        const number = start + index;
        const client = {
          address: Uint8Array.of(198, 18, 1, 1 + (number >> 14)),
          port: 1024 + (number & 0x3fff),
        };
        const server = { address: Uint8Array.of(198, 18, 0, 1), port: 53 };
        const payload = Buffer.concat([
          nfHeader(nl.AF_INET),
          tuple(ct.CTA_TUPLE_ORIG, client, server),
          tuple(ct.CTA_TUPLE_REPLY, server, client),
          bytes(CTA_TIMEOUT, be32(600)),
        ]);
        const flags = nl.NLM_F_CREATE | nl.NLM_F_EXCL;
        return { type: CT_NEW, flags, payload, operation: 'a connection' };
      });
      const { refusals } = await pool.batch(requests);
      expect(refusals).toEqual([]);
    }
  } finally {
    pool.close();
  }
}

/** @returns processor time that this process took for it, in user mode, in µs */
async function worked(conntrack: Conntrack, matches: readonly FlowMatch[]): Promise<number> {
  const before = process.cpuUsage();
  await conntrack.forget(matches);
  return process.cpuUsage(before).user;
}

it('does less for a thousand ports of a container than to read all connections of the host', async () => {
  await trackOthers(OTHERS);
  expect(Number(await ns.sh('cat /proc/sys/net/netfilter/nf_conntrack_count'))).toBe(OTHERS);
  using usual = new Conntrack(ns.path);
  using reader = new Conntrack(ns.path, { flushes: 0, walk: OTHERS });
  const ports: FlowMatch[] = Array.from({ length: 1000 }, (_, index) => ({
    family: 4,
    protocol: 'tcp',
    container: '198.18.99.1',
    containerPort: index + 1,
    hostPort: 20_000 + index,
  }));
  const containers: FlowMatch[] = ['198.18.99.1', '198.18.99.2'].map(container => ({ family: 4, container }));
  const ratios: number[] = [];
  for (let round = 0; round < 5; round++) {
    const everything = await worked(reader, containers);
    ratios.push((await worked(usual, ports)) / everything);
  }
  expect(quantile(ratios, 0.5)).toBeLessThan(1);
});
