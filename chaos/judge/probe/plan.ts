/** Packets that are sent from within network namespaces, all at once, and what came of them. */
export interface Plan {
  /** Name of each namespace to its file on the machine. */
  readonly namespaces: Readonly<Record<string, string>>;
  readonly questions: readonly Question[];
}

export interface Question {
  /** Name of the namespace that asks. */
  readonly from: string;
  /** ping: an echo request; ask: `GET /` over TCP; knock: a datagram; bind: whether a socket can be bound, and thus is not held. */
  readonly kind: 'ping' | 'ask' | 'knock' | 'bind';
  /** Bare. */
  readonly address: string;
  /** Of all but ping. */
  readonly port?: number;
  /** Of bind. */
  readonly protocol?: 'tcp' | 'udp';
  /** Whether an answer is expected; what is not is waited for only shortly. */
  readonly expected: boolean;
}

/**
 * In the order of the questions. ping and knock: `yes`, also when the datagram was refused by its receiver, or null; ask: the first line of what was answered, without its head, '' when the connection was refused or ended before, or null; bind: `free`, or
 * the error's number.
 */
export type Answers = (string | null)[];
