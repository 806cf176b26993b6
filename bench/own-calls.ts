import { isTsnet } from './cases.ts';
import type { Subject } from './samples.ts';
import { quantile } from './statistics.ts';

/** tsnet's own time, in milliseconds, from the decoded request to the answer. */
export interface CallRow {
  readonly case: string;
  readonly scenario: string;
  /** The protocol's name of the call, or what a sum is of. */
  readonly call: string;
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** One call of the engine, as the daemon's log has it. */
export interface CallEntry {
  readonly method: string;
  readonly ms: number;
  /** Shortened id of the endpoint that the call is about. */
  readonly endpoint: string | undefined;
}

const METHOD = /^(?:NetworkDriver|IpamDriver)\.(\w+)$/;

/** The calls in a piece of the daemon's log. @param log as of `--log-format json`, one object a line */
export function callEntries(log: string): CallEntry[] {
  return log.split('\n').flatMap(line => {
    const entry = parsed(line);
    const [, method] = METHOD.exec(String(entry['message'])) ?? [];
    const ms = entry['ms'];
    if (method === undefined || typeof ms !== 'number') return [];
    const asked = entry['asked'] as Readonly<Record<string, unknown>> | undefined;
    const endpoint = asked?.['endpointId'];
    return [{ method, ms, endpoint: typeof endpoint === 'string' ? endpoint : undefined }];
  });
}

/** Whatever is no object of JSON, as the words of a runtime on standard error, is no entry. */
function parsed(line: string): Readonly<Record<string, unknown>> {
  if (!line.startsWith('{')) return {};
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** Gathers what the daemon logs while tsnet is measured, and sums it up. */
export class OwnCalls {
  readonly #log: () => string;
  readonly #entries: Map<Subject, CallEntry[]>;

  /** @param log all that the daemon has logged */
  constructor(subjects: readonly Subject[], log: () => string) {
    this.#log = log;
    this.#entries = new Map(subjects.filter(({ one }) => isTsnet(one)).map(subject => [subject, []]));
  }

  /** Runs `action`, and books what is logged meanwhile to the subject if that is one of tsnet's. */
  async during<T>(subject: Subject, action: () => Promise<T>): Promise<T> {
    const entries = this.#entries.get(subject);
    if (entries === undefined) return action();
    const from = this.#log().length;
    const result = await action();
    entries.push(...callEntries(this.#log().slice(from)));
    return result;
  }

  /** @param sum what the calls about one endpoint are together, such as `connect + disconnect` */
  rows(sum?: string): CallRow[] {
    return [...this.#entries].flatMap(([subject, entries]) => {
      const methods = Map.groupBy(entries, entry => entry.method);
      const rows = [...methods].map(([call, of]) => row(subject, call, msOf(of)));
      const sums = sum === undefined ? [] : endpointSums(entries);
      return sums.length === 0 ? rows : [...rows, row(subject, `all calls of ${sum}`, sums)];
    });
  }
}

const msOf = (entries: readonly CallEntry[]): number[] => entries.map(entry => entry.ms);

/** Milliseconds of all calls about an endpoint, for each of them. */
export function endpointSums(entries: readonly CallEntry[]): number[] {
  const sums = new Map<string, number>();
  for (const { endpoint, ms } of entries) {
    if (endpoint !== undefined) sums.set(endpoint, (sums.get(endpoint) ?? 0) + ms);
  }
  return [...sums.values()];
}

function row({ one, scenario }: Subject, call: string, values: readonly number[]): CallRow {
  return {
    case: one.name,
    scenario,
    call,
    count: values.length,
    p50: quantile(values, 0.5),
    p99: quantile(values, 0.99),
    max: Math.max(...values),
  };
}
