import { quantile } from '../statistics.ts';
import { BACKLOG, close, connect, finish, receive, reset, send } from './sockets.ts';
import { CHUNK, MESSAGE, Talk } from './talk.ts';

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
  const samples = repeat(until, () => {
    send(fd, message);
    if (receive(fd, message) !== MESSAGE) throw new Error('an answer is cut');
  });
  close(fd);
  return quantile(samples, 0.5) * 1000;
}

/**
 * Connections a second, one after the other, each with a small request, its answer and its end, by the median time of
 * one: that some wait for milliseconds while the machine does something else says nothing of the way.
 */
function connections(to: Buffer, until: number): number {
  return 1000 / quantile(repeat(until, ask.bind(undefined, to)), 0.5);
}

/** The same, opened and reset without a word: the first packets alone, for which a host decides where they go. */
function handshakes(to: Buffer, until: number): number {
  let waiting = 0;
  const samples = repeat(until, () => {
    // The server accepts them in their order, so that when it answers none is waiting.
    if (waiting === BACKLOG / 2) {
      waiting = 0;
      ask(to);
      return;
    }
    waiting += 1;
    reset(connect(to));
  });
  return 1000 / quantile(samples, 0.5);
}

/** @returns milliseconds of each time */
function repeat(until: number, what: () => void): number[] {
  const samples: number[] = [];
  for (let start = performance.now(); start < until; ) {
    what();
    const end = performance.now();
    samples.push(end - start);
    start = end;
  }
  return samples;
}

const request = Buffer.allocUnsafeSlow(MESSAGE).fill(Talk.once);
const answer = Buffer.allocUnsafeSlow(MESSAGE);

/** Connects, asks, and waits for the answer and for the server's end. */
function ask(to: Buffer): void {
  const fd = connect(to);
  send(fd, request);
  if (receive(fd, answer) !== MESSAGE) throw new Error('an answer is cut');
  if (receive(fd, answer) !== 0) throw new Error('the server goes on');
  close(fd);
}

/** Each takes where a server.ts listens and until when it shall go on, by performance.now(). */
export const GENERATORS = { throughput, latency, connections, handshakes } as const;
