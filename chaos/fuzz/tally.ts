import type { Report } from './report.ts';
import type { Exchange, FuzzRequest, Kind } from './request.ts';

const SHOWN = 20;
/** The first ones come with what was sent before. */
const SHOWN_WHOLE = 3;
const RECENT = 12;
const CUT = 2_000;

export type Finding = 'crash' | 'hang' | 'difference' | 'defect';

/** Counts what a campaign does and finds. */
export class Tally {
  readonly #requests = new Map<Kind, number>();
  readonly #refused = new Map<string, number>();
  readonly #methods = new Map<string, number>();
  readonly #findings: Record<Finding, number> = { crash: 0, hang: 0, difference: 0, defect: 0 };
  readonly #violations: string[] = [];
  readonly #recent: Exchange[] = [];
  broken = 0;
  compared = 0;
  longest = 0;
  usage: Report['usage'] = [
    { memory: 0, files: 0 },
    { memory: 0, files: 0 },
  ];
  #done = 0;

  get violations(): readonly string[] {
    return this.#violations;
  }

  asked(request: FuzzRequest): void {
    add(this.#requests, request.kind);
  }

  answered(exchange: Exchange, ms: number): void {
    this.#recent.push(exchange);
    if (this.#recent.length > RECENT) this.#recent.shift();
    this.longest = Math.max(this.longest, ms);
  }

  done({ path }: FuzzRequest): void {
    this.#done++;
    add(this.#methods, path.split('?')[0]?.slice(1, 60) ?? '');
  }

  refused(code: string): void {
    add(this.#refused, code);
  }

  /** @param number of the request in the campaign */
  found(finding: Finding, number: number, why: string): void {
    this.#findings[finding]++;
    if (this.#violations.length >= SHOWN) return;
    if (this.#violations.length >= SHOWN_WHOLE) {
      this.#violations.push(`${finding} at request ${number}: ${why}`);
      return;
    }
    const recent = this.#recent.map(
      ({ number: at, request, answer }) =>
        `  ${at} ${request.method ?? 'POST'} ${request.path} ${request.body.slice(0, CUT)}\n    -> ${answer?.status ?? '-'} ${answer?.text.slice(0, 300) ?? ''}`,
    );
    this.#violations.push(`${finding} at request ${number}: ${why}\nlast requests:\n${recent.join('\n')}`);
  }

  report(of: Pick<Report, 'seed' | 'target' | 'seconds' | 'checkedStrings'>): Report {
    const { crash, hang, difference, defect } = this.#findings;
    return {
      ...of,
      requests: this.#requests,
      broken: this.broken,
      done: this.#done,
      refused: this.#refused,
      methods: this.#methods,
      compared: this.compared,
      crashes: crash,
      hangs: hang,
      differences: difference,
      defects: defect,
      longest: this.longest,
      usage: this.usage,
      violations: this.#violations,
    };
  }
}

function add<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
