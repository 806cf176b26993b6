import { quantile } from '../statistics.ts';
import { runOn, SERVER_CORE } from './cores.ts';
import { close, connect, finish, receive, send, socketAddress } from './sockets.ts';
import { CHUNK, MESSAGE, Talk } from './talk.ts';

/** What is asked of a traffic client. */
export interface Order {
  readonly measure: Measure;
  /** IPv4, bare. */
  readonly address: string;
  readonly port: number;
  /** How long, in milliseconds. */
  readonly ms: number;
}

/** What came out. */
export interface Slice {
  /** In the measure's unit. */
  readonly value: number;
  /** Share of the time that the client spent in its own code, not in the kernel: 1 when it is the bottleneck. */
  readonly own: number;
}

/** Each has a server.ts at the other end. */
const GENERATORS = { throughput, latency, connections } as const;
/**
 * Where a stream needs two cores to be as fast as it can, question and answer need one at a time: on the server's own
 * nothing but the way of the packets is measured.
 */
const CORE = { throughput: SERVER_CORE + 1, latency: SERVER_CORE, connections: SERVER_CORE } as const;
export type Measure = keyof typeof GENERATORS;

/** Generates traffic, blocking this process, for as long as the order says. @throws Error when nobody answers */
export function generate({ measure, address, port, ms }: Order): Slice {
  runOn(CORE[measure]);
  const used = process.cpuUsage();
  const start = performance.now();
  const value = GENERATORS[measure](socketAddress(address, port), start + ms);
  const took = performance.now() - start;
  return { value, own: process.cpuUsage(used).user / 1000 / took };
}

/** Gbit/s of one TCP stream, from its first byte until the server has told how many it got. */
function throughput(to: Buffer, until: number): number {
  const fd = connect(to);
  const chunk = Buffer.allocUnsafeSlow(CHUNK).fill(Talk.stream);
  const start = performance.now();
  let sent = 0;
  for (; performance.now() < until; sent += chunk.length) send(fd, chunk);
  finish(fd);
  const count = Buffer.allocUnsafeSlow(8);
  receive(fd, count);
  const took = performance.now() - start;
  close(fd);
  if (count.readBigUInt64LE() !== BigInt(sent)) throw new Error('a stream has lost bytes');
  return (sent * 8) / took / 1e6;
}

/** Microseconds, the median, from a small request on an open connection to its answer. */
function latency(to: Buffer, until: number): number {
  const fd = connect(to);
  const message = Buffer.allocUnsafeSlow(MESSAGE).fill(Talk.echo);
  const samples: number[] = [];
  for (let start = performance.now(); start < until; ) {
    send(fd, message);
    if (receive(fd, message) !== MESSAGE) throw new Error('an answer is cut');
    const end = performance.now();
    samples.push((end - start) * 1000);
    start = end;
  }
  close(fd);
  return quantile(samples, 0.5);
}

/**
 * Connections a second, one after the other, each with a small request, its answer and its end, by the median time of
 * one: that some wait for milliseconds while the machine does something else says nothing of the way.
 */
function connections(to: Buffer, until: number): number {
  const request = Buffer.allocUnsafeSlow(MESSAGE).fill(Talk.once);
  const answer = Buffer.allocUnsafeSlow(MESSAGE);
  const samples: number[] = [];
  for (let start = performance.now(); start < until; ) {
    const fd = connect(to);
    send(fd, request);
    if (receive(fd, answer) !== MESSAGE) throw new Error('an answer is cut');
    if (receive(fd, answer) !== 0) throw new Error('the server goes on');
    close(fd);
    const end = performance.now();
    samples.push(end - start);
    start = end;
  }
  return 1000 / quantile(samples, 0.5);
}
