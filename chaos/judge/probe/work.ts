/** Something that goes on on a socket until it is answered or given up. */
export interface Work {
  /** Negative when there is none. */
  readonly fd: number;
  /** What poll(2) is to wait for. */
  readonly events: number;
  /** Called again and again. @param now milliseconds */
  tick(now: number): void;
  /** poll(2) has something for it. */
  ready(): void;
  end(): void;
}
