/** A request as the fuzzer sends it. */
export interface FuzzRequest {
  /** `/NetworkDriver.Join`. */
  readonly path: string;
  readonly body: string;
  /** What of it is not as an engine would send it, for the counts. */
  readonly kind: Kind;
  /** POST if absent. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `valid`: as an engine sends it; `values`: values of its fields changed; `text`: its JSON cut or altered; `http`: another method, path or header. */
export const KINDS = ['valid', 'values', 'text', 'http'] as const;
export type Kind = (typeof KINDS)[number];

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** A request and what came of it, as the report shows it. */
export interface Exchange {
  /** Position in the campaign, from 1 on. */
  readonly number: number;
  readonly request: FuzzRequest;
  readonly answer: Answer | undefined;
}
