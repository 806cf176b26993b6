import { close, connect, POLLIN, receive, SOCK_DGRAM, send, socket } from './libc.ts';
import type { Question } from './plan.ts';
import { domainOf, sockaddr } from './sockaddr.ts';
import type { Work } from './work.ts';

const ECONNREFUSED = -111;
/** Milliseconds after which it is sent again. */
const AGAIN = 250;

/**
 * A datagram to a published port, behind which nothing listens: the container's kernel refuses it, while the socket that holds the port on the
 * host would swallow it.
 */
export class Knocking implements Work {
  readonly fd: number;
  readonly events = POLLIN;
  readonly #tell: (answer: string) => void;
  readonly #buffer = Buffer.alloc(1500);
  #sent = Number.NEGATIVE_INFINITY;
  #answered = false;

  /** To be made in the namespace. */
  constructor({ address, port }: Question, tell: (answer: string) => void) {
    this.#tell = tell;
    this.fd = socket(domainOf(address), SOCK_DGRAM);
    connect(this.fd, sockaddr(address, port));
  }

  tick(now: number): void {
    if (this.#answered || now - this.#sent < AGAIN) return;
    this.#sent = now;
    // An answer to the one before may be told here.
    if (send(this.fd, Buffer.from('?')) === ECONNREFUSED) this.#answer();
  }

  ready(): void {
    const length = receive(this.fd, this.#buffer);
    if (length > 0 || length === ECONNREFUSED) this.#answer();
  }

  end(): void {
    close(this.fd);
  }

  #answer(): void {
    this.#answered = true;
    this.#tell('yes');
  }
}
