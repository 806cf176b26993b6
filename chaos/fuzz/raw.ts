import type { Random } from '../random.ts';
import type { FuzzRequest } from './request.ts';

/** Bytes that are no whole HTTP request: cut off half way, with false lengths, broken headers, two requests at once. */
export function brokenBytes({ path, body }: FuzzRequest, random: Random): Buffer {
  const length = Buffer.byteLength(body);
  const head = (extra: string) => `POST ${path} HTTP/1.1\r\nHost: x\r\n${extra}\r\n`;
  const whole = `${head(`Content-Length: ${length}\r\n`)}${body}`;
  const cases: readonly (() => string)[] = [
    // Nothing at all: a client that connects and says nothing.
    () => '',
    () => whole.slice(0, random.below(whole.length)),
    () => `${head(`Content-Length: ${length + 10}\r\n`)}${body}`,
    () => `${head(`Content-Length: -1\r\n`)}${body}`,
    () => `${head(`Content-Length: ${length}\r\nContent-Length: 3\r\n`)}${body}`,
    () => `${head(`Content-Length: ${length}\r\nTransfer-Encoding: chunked\r\n`)}${body}`,
    () => `${head('Transfer-Encoding: chunked\r\n')}zz\r\n{}\r\n0\r\n\r\n`,
    () => `${head('Transfer-Encoding: chunked\r\n')}${length.toString(16)}\r\n${body}\r\n`,
    () => head(`X: ${'y'.repeat(20_000)}\r\n`),
    () => head('A: b\r\n'.repeat(3_000)),
    () => head('Bad Header\r\n'),
    () => whole.replace('HTTP/1.1', random.pick(['HTTP/9.9', 'HTTP/1.0', 'RTSP/1.0', ''])),
    () => `${'A'.repeat(random.below(70_000))} / HTTP/1.1\r\n\r\n`,
    () => `GET ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
    () => 'CONNECT 192.0.2.1:80 HTTP/1.1\r\n\r\n',
    () => '\x16\x03\x01\x02\x00\x01\x00',
    () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    () => '\0'.repeat(1 + random.below(100)),
  ];
  return Buffer.from(random.pick(cases)());
}
