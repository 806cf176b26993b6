import type { Answer, FuzzRequest } from './request.ts';

/** What a target has at present, by what its store says: requests are made to fit it. */
export interface Held {
  readonly networks: readonly HeldNetwork[];
  readonly endpoints: readonly HeldEndpoint[];
  /** Ids. */
  readonly pools: readonly string[];
  readonly leases: readonly { readonly space: string; readonly pool: string; readonly address: string }[];
}

export interface HeldNetwork {
  readonly id: string;
  /** CIDR. */
  readonly pools4: readonly string[];
  readonly pools6: readonly string[];
}

export interface HeldEndpoint {
  readonly id: string;
  readonly networkId: string;
  readonly joined: boolean;
}

/** A tsnet that is sent requests, and the host that it works on. */
export interface Target extends AsyncDisposable {
  /** What it is, for the report. */
  readonly description: string;
  /** Paths of sandboxes that are there. */
  readonly sandboxes: readonly string[];
  /** Links of the host that networks can hang on, and addresses of the host that ports can be published on. */
  readonly parents: readonly string[];
  readonly addresses: readonly string[];

  /** @throws Error when the connection breaks before the answer is there; never waits longer than its patience */
  send(request: FuzzRequest): Promise<Answer | 'hang'>;
  /** What an engine does to the host after an answer, before its next call. */
  follow(request: FuzzRequest, answer: Answer): Promise<void>;
  /** Writes raw bytes on a connection of its own and closes it. */
  sendRaw(bytes: Buffer): Promise<void>;
  held(): Held;
  /**
   * Host and store as text, once what goes on in the background has ended: equal texts are equal states.
   * @param expected what it should be: it is waited for, a while
   */
  snapshot(expected?: string): Promise<string>;
  /** Defects that showed elsewhere than in an answer since the last time, in words. */
  defects(): string[];
  /** Of the process that is tested. */
  usage(): Usage;
  /** How many strings have been looked at on their way to the kernel; absent where that is not possible. */
  readonly checkedStrings?: () => number;
}

/** What a process has. */
export interface Usage {
  /** Resident memory, in MB of 2^20 bytes. */
  readonly memory: number;
  /** Open files. */
  readonly files: number;
}
