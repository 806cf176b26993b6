import { close, connect, POLLIN, POLLOUT, receive, SOCK_STREAM, send, socket } from './libc.ts';
import type { Question } from './plan.ts';
import { domainOf, sockaddr } from './sockaddr.ts';
import type { Work } from './work.ts';

const EAGAIN = -11;

/** `GET /` over TCP: who answers says its name. */
export class Asking implements Work {
  readonly fd: number;
  events = POLLOUT;
  readonly #tell: (answer: string) => void;
  readonly #buffer = Buffer.alloc(4096);
  #said = '';
  #closed = false;

  /** To be made in the namespace. */
  constructor({ address, port }: Question, tell: (answer: string) => void) {
    this.#tell = tell;
    this.fd = socket(domainOf(address), SOCK_STREAM);
    connect(this.fd, sockaddr(address, port));
  }

  tick(): void {
    // The kernel sends again by itself.
  }

  ready(): void {
    if (this.events === POLLOUT) {
      if (send(this.fd, Buffer.from('GET / HTTP/1.0\r\n\r\n')) < 0) this.#finish();
      this.events = POLLIN;
      return;
    }
    const length = receive(this.fd, this.#buffer);
    if (length > 0) this.#said += this.#buffer.toString('utf8', 0, length);
    else if (length !== EAGAIN) this.#finish();
  }

  end(): void {
    if (!this.#closed) close(this.fd);
    this.#closed = true;
  }

  #finish(): void {
    const [, body] = /\r?\n\r?\n(.*)/.exec(this.#said) ?? [];
    this.#tell(body?.trim() ?? '');
    this.events = 0;
  }
}
