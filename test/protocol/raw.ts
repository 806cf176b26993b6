import { connect, type Socket } from 'node:net';

/** A connection to a Unix socket on which bytes can be written as they are. */
export class RawConnection {
  readonly socket: Socket;
  closed = false;
  #text = '';
  #wake: () => void = () => undefined;

  constructor(path: string) {
    this.socket = connect(path);
    this.socket.on('data', chunk => {
      this.#text += String(chunk);
      this.#wake();
    });
    this.socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
    this.socket.on('error', () => undefined);
  }

  /** Sends a POST without Content-Type, as the engine does. */
  post(path: string, body: string, host = ''): void {
    this.socket.write(
      `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: Go-http-client/1.1\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nAccept: application/vnd.docker.plugins.v1.2+json\r\n\r\n${body}`,
    );
  }

  /** The next whole answer; rejected when the connection closes first. */
  async answer(): Promise<{ head: string; body: string }> {
    for (;;) {
      const end = this.#text.indexOf('\r\n\r\n');
      const head = this.#text.slice(0, end);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
      if (end >= 0 && this.#text.length >= end + 4 + length) {
        const body = this.#text.slice(end + 4, end + 4 + length);
        this.#text = this.#text.slice(end + 4 + length);
        return { head, body };
      }
      if (this.closed) throw new Error(`closed after ${JSON.stringify(this.#text)}`);
      await this.#changed();
    }
  }

  async untilClosed(): Promise<void> {
    while (!this.closed) await this.#changed();
  }

  #changed(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve;
    });
  }
}
