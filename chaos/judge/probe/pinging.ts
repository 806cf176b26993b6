import { echoReply, echoRequest } from './echo.ts';
import { AF_INET6, close, POLLIN, receive, SOCK_RAW, sendTo, socket } from './libc.ts';
import type { Question } from './plan.ts';
import { domainOf, sockaddr } from './sockaddr.ts';
import type { Work } from './work.ts';

const ICMP = 1;
const ICMP6 = 58;
/** Milliseconds after which a request is sent again: the first may be lost while neighbours are looked for. */
const AGAIN = 250;

/** All echo requests of one family from one namespace, on one socket. */
export class Pinging implements Work {
  readonly fd: number;
  readonly events = POLLIN;
  readonly #domain: number;
  readonly #id: number;
  readonly #questions: readonly (Question & { at: number })[];
  readonly #answered = new Set<number>();
  readonly #tell: (at: number, answer: string) => void;
  readonly #buffer = Buffer.alloc(1500);
  #sent = Number.NEGATIVE_INFINITY;

  /**
   * To be made in the namespace.
   * @param questions of one family, with their place in the plan
   * @param id of the requests, in 16 bits
   */
  constructor(
    questions: readonly (Question & { at: number })[],
    id: number,
    tell: (at: number, answer: string) => void,
  ) {
    this.#questions = questions;
    this.#id = id;
    this.#tell = tell;
    this.#domain = domainOf(questions[0]?.address ?? '0.0.0.0');
    this.fd = socket(this.#domain, SOCK_RAW, this.#domain === AF_INET6 ? ICMP6 : ICMP);
  }

  tick(now: number): void {
    if (now - this.#sent < AGAIN) return;
    this.#sent = now;
    for (const { at, address } of this.#questions) {
      if (!this.#answered.has(at))
        sendTo(this.fd, echoRequest(this.#domain, this.#id, at), sockaddr(address));
    }
  }

  ready(): void {
    for (;;) {
      const length = receive(this.fd, this.#buffer);
      if (length < 0) return;
      const at = echoReply(this.#domain, this.#id, this.#buffer.subarray(0, length));
      if (at === undefined || this.#answered.has(at)) continue;
      this.#answered.add(at);
      this.#tell(at, 'yes');
    }
  }

  end(): void {
    close(this.fd);
  }
}
