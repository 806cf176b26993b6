import { openSync } from 'node:fs';
import { constants } from 'node:os';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import * as attribute from '../../../src/kernel/netlink/attribute-writer.ts';
import { decodeMessages, encodeMessage } from '../../../src/kernel/netlink/message.ts';
import { NetlinkSocket } from '../../../src/kernel/netlink/socket.ts';

/** What the kernel rarely does, played by a script: each entry is a datagram to the last request, or `-errno`. */
type Answer = number | ((sequence: number) => Buffer);

const kernel = vi.hoisted(() => ({
  sent: [] as Buffer[],
  sendResults: [] as number[],
  answers: [] as unknown[],
}));

vi.mock('../../../src/kernel/libc.ts', () => {
  const receive = (_fd: number, buffer: Buffer): number => {
    const answer = kernel.answers.shift() as Answer | undefined;
    if (answer === undefined) throw new Error('the script is over');
    if (typeof answer === 'number') return answer;
    const datagram = answer(kernel.sent.length);
    buffer.set(datagram.subarray(0, buffer.length));
    return datagram.length;
  };
  return {
    stableBuffer: (size: number) => Buffer.alloc(size),
    socket: () => openSync('/dev/null', 'r'),
    bind: () => 0,
    setsockopt: () => 0,
    recv: receive,
    recvOnWorker: async (fd: number, buffer: Buffer) => receive(fd, buffer),
    sendOnWorker: async (_fd: number, buffer: Buffer) => {
      const result = kernel.sendResults.shift() ?? buffer.length;
      if (result > 0) kernel.sent.push(buffer);
      return result;
    },
  };
});

const { EAGAIN, EINTR, ENOBUFS } = constants.errno;
const INTERRUPTED = 0x10;

const message =
  (type: number, payload: Buffer, flags = 0, late = 0): Answer =>
  sequence =>
    encodeMessage({ type, flags, sequence: sequence - late, port: 0, payload });
const link = (name: string, flags = 0, late = 0) => message(16, Buffer.from(name), flags, late);
const outcome = (type: number, errno: number, flags = 0, late = 0) => {
  const payload = Buffer.alloc(4);
  payload.writeInt32LE(-errno);
  return message(type, payload, flags, late);
};
const ack = (errno = 0, late = 0) => outcome(2, errno, 0, late);
const done = (flags = 0, errno = 0) => outcome(3, errno, flags);

const request = { type: 18, payload: Buffer.alloc(16), operation: 'test' };
const script = (...answers: Answer[]) => kernel.answers.push(...answers);
const dumped = async () => (await socket.dump(request)).map(({ payload }) => payload.toString());
let socket: NetlinkSocket;

beforeEach(() => {
  kernel.sent.length = 0;
  kernel.sendResults.length = 0;
  kernel.answers.length = 0;
  socket = NetlinkSocket.open();
  onTestFinished(() => socket.close());
});

describe('a dump', () => {
  it('is collected to its end', async () => {
    script(link('a'), link('b'), done());
    expect(await dumped()).toEqual(['a', 'b']);
    expect(decodeMessages(kernel.sent[0] as Buffer)).toMatchObject([{ type: 18, flags: 0x301 }]);
  });

  it('leaves out what is not to be kept', async () => {
    script(link('a'), link('b'), link('c'), done());
    const kept = await socket.dump({ ...request, keep: ({ payload }) => payload.toString() !== 'b' });
    expect(kept.map(({ payload }) => payload.toString())).toEqual(['a', 'c']);
  });

  it.each([
    { where: 'in the middle', first: [link('a', INTERRUPTED), done()] },
    { where: 'at the end', first: [link('a'), done(INTERRUPTED)] },
    { where: 'with an error', first: [link('a'), done(0, EINTR)] },
    { where: 'by a queue that overflowed', first: [link('a'), -ENOBUFS, done()] },
  ])('that was interrupted $where is repeated', async ({ first }) => {
    script(...first, link('b'), done());
    expect(await dumped()).toEqual(['b']);
    expect(kernel.sent).toHaveLength(2);
  });

  it('is not repeated for ever', async () => {
    script(...Array.from({ length: 100 }, () => done(INTERRUPTED)));
    await expect(dumped()).rejects.toMatchObject({ code: 'EAGAIN', extack: 'dump interrupted 20 times' });
    expect(kernel.sent).toHaveLength(20);
  });

  it('goes on after a signal', async () => {
    kernel.sendResults.push(-EINTR);
    script(-EINTR, link('a'), done());
    expect(await dumped()).toEqual(['a']);
    expect(kernel.sent).toHaveLength(1);
  });

  it('fails with the error at its end', async () => {
    script(link('a'), done(0, 19));
    await expect(dumped()).rejects.toMatchObject({ code: 'ENODEV' });
  });
});

describe('a request', () => {
  it('ignores answers to an earlier one', async () => {
    script(ack(1, 1), link('old', 0, 1), link('new'), ack());
    expect((await socket.request(request)).map(({ payload }) => payload.toString())).toEqual(['new']);
  });

  it('waits for an answer that is not there yet', async () => {
    script(-EAGAIN, ack(17));
    await expect(socket.request(request)).rejects.toMatchObject({ code: 'EEXIST', operation: 'test' });
  });

  it('does not wait for ever', async () => {
    script(-EAGAIN, -EAGAIN);
    await expect(socket.request(request)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('fails when it cannot be sent, or its answer was lost', async () => {
    kernel.sendResults.push(-ENOBUFS);
    await expect(socket.request(request)).rejects.toMatchObject({ code: 'ENOBUFS' });
    script(-ENOBUFS);
    await expect(socket.request(request)).rejects.toMatchObject({ code: 'ENOBUFS' });
  });

  it('refuses an answer that does not fit the buffer', async () => {
    const parts = Array.from({ length: 2 }, () => attribute.bytes(1, new Uint8Array(40_000)));
    script(message(16, Buffer.concat(parts)));
    await expect(socket.request(request)).rejects.toMatchObject({ code: 'EMSGSIZE' });
  });
});

describe('a batch', () => {
  const batch = () => socket.batch([request, request, request]);
  // The script counts datagrams; this one carries the sequence numbers 1 to 3.
  const ackOf = (sequence: number, errno = 0) => ack(errno, 1 - sequence);

  it('is one datagram, of which only the last request asks for an answer', async () => {
    script(ackOf(3));
    expect(await batch()).toEqual({ answers: [], refusals: [] });
    expect(kernel.sent).toHaveLength(1);
    expect(decodeMessages(kernel.sent[0] as Buffer)).toMatchObject([
      { sequence: 1, flags: 0x01 },
      { sequence: 2, flags: 0x01 },
      { sequence: 3, flags: 0x05 },
    ]);
  });

  it('answers the refusals, whichever requests they are of', async () => {
    script(ackOf(1, 2), ackOf(3, 17));
    expect((await batch()).refusals.map(({ code }) => code)).toEqual(['ENOENT', 'EEXIST']);
  });

  it('ignores answers to others', async () => {
    script(ackOf(0, 1), ackOf(4, 1), ackOf(3));
    expect(await batch()).toEqual({ answers: [], refusals: [] });
  });

  it('of nothing sends nothing', async () => {
    expect(await socket.batch([])).toEqual({ answers: [], refusals: [] });
    expect(kernel.sent).toHaveLength(0);
  });

  it('fails when it cannot be sent', async () => {
    kernel.sendResults.push(-ENOBUFS);
    await expect(batch()).rejects.toMatchObject({ code: 'ENOBUFS' });
  });
});
