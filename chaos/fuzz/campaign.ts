import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../random.ts';
import { Author } from './author.ts';
import { brokenBytes } from './raw.ts';
import { removeAll } from './remove-all.ts';
import type { Report } from './report.ts';
import type { FuzzRequest } from './request.ts';
import { Tally } from './tally.ts';
import type { Target } from './target.ts';
import { judge, type Verdict } from './verdict.ts';
import type { Watchdog } from './watchdog.ts';

export interface CampaignOptions {
  readonly requests: number;
  readonly seed: number;
  /** Ends the process when it is caught in a loop: then nothing in it can. */
  readonly watchdog?: Watchdog;
  /** Hears how far it is, now and then. */
  readonly onProgress?: (done: number) => void;
}

/** Of a hundred steps: connections that break, and requests sent at the same time. */
const BROKEN = 0.01;
const BURSTS = 0.01;
const WIDEST_BURST = 6;
/** Something is wrong that would only be found again and again. */
const MOST_FINDINGS = 20;
const ROUNDS_AT_END = 100;
/** Milliseconds without a change, after which none comes. */
const STEADY_MS = 20;
const JOIN = '/NetworkDriver.Join';

/** Sends generated requests to a target and judges every answer, and the state around every refusal. */
export class Campaign {
  readonly #target: Target;
  readonly #options: CampaignOptions;
  readonly #random: Random;
  readonly #author: Author;
  readonly #tally = new Tally();
  #number = 0;
  #findings = 0;
  #before = '';
  #stopped = false;

  constructor(target: Target, options: CampaignOptions) {
    this.#target = target;
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#author = new Author(this.#random, options.seed, target);
  }

  async run(): Promise<Report> {
    const { requests, seed, onProgress } = this.#options;
    const started = performance.now();
    const empty = await this.#target.snapshot();
    this.#before = empty;
    let early = this.#target.usage();
    let nextTenth = requests / 10;
    while (this.#number < requests && this.#findings < MOST_FINDINGS && !this.#stopped) {
      if (this.#random.chance(BROKEN)) await this.#break();
      if (this.#random.chance(BURSTS)) await this.#burst();
      else await this.#one();
      if (this.#number < nextTenth) continue;
      if (nextTenth <= requests / 10) early = this.#target.usage();
      nextTenth += requests / 10;
      onProgress?.(this.#number);
    }
    this.#tally.usage = [early, this.#target.usage()];
    const seconds = (performance.now() - started) / 1000;
    await this.#end(empty);
    const checkedStrings = this.#target.checkedStrings?.();
    return this.#tally.report({ seed, target: this.#target.description, seconds, checkedStrings });
  }

  /** Has run() end early, with the report of what has been done. */
  stop(): void {
    this.#stopped = true;
  }

  async #one(): Promise<void> {
    const request = this.#author.write();
    const verdict = await this.#ask(request);
    const after = await this.#target.snapshot(verdict?.kind === 'refused' ? this.#before : undefined);
    if (verdict?.kind === 'refused') {
      this.#tally.compared++;
      if (after !== this.#before) this.#found('difference', difference(this.#before, after));
    }
    this.#before = after;
  }

  /** Several at once: what each does to the state cannot be told apart, but none may be lost. */
  async #burst(): Promise<void> {
    const count = 2 + this.#random.below(WIDEST_BURST - 1);
    const requests = Array.from({ length: count }, () => this.#author.write()).filter(
      // An engine attaches a container to one network after the other.
      ({ path }, index, all) => path !== JOIN || all.findIndex(other => other.path === JOIN) === index,
    );
    const verdicts = await Promise.all(requests.map(request => this.#ask(request)));
    const allRefused = verdicts.every(verdict => verdict?.kind === 'refused');
    const after = await this.#target.snapshot(allRefused ? this.#before : undefined);
    if (allRefused && after !== this.#before)
      this.#found('difference', `after ${count} at once: ${difference(this.#before, after)}`);
    this.#before = after;
  }

  async #break(): Promise<void> {
    this.#tally.broken++;
    const request = this.#author.write();
    await this.#target.sendRaw(brokenBytes(request, this.#random));
    // What came whole may be done yet, and nobody tells when; that the server still answers is seen by the next request.
    let last: string;
    do {
      last = this.#before;
      await delay(STEADY_MS);
      this.#before = await this.#target.snapshot();
    } while (last !== this.#before);
  }

  async #ask(request: FuzzRequest): Promise<Verdict | undefined> {
    const number = ++this.#number;
    this.#tally.asked(request);
    this.#options.watchdog?.begins(number, request);
    const started = performance.now();
    const answer = await this.#target.send(request).catch((error: unknown) => {
      this.#found('crash', `the connection broke: ${String(error)} on ${request.path}`);
      return undefined;
    });
    const isAnswer = typeof answer === 'object';
    this.#tally.answered(
      { number, request, answer: isAnswer ? answer : undefined },
      performance.now() - started,
    );
    for (const defect of this.#target.defects()) this.#found('defect', defect);
    if (answer === 'hang') this.#found('hang', `no answer to ${request.path}`);
    if (!isAnswer) return undefined;
    const verdict = judge(answer, request.method ?? 'POST');
    if (verdict.kind === 'done') this.#tally.done(request);
    if (verdict.kind === 'refused') this.#tally.refused(verdict.code);
    if (verdict.kind === 'hang') this.#found('hang', verdict.why);
    if (verdict.kind === 'defect') this.#found('crash', verdict.why);
    await this.#target.follow(request, answer);
    return verdict;
  }

  /** What was made is taken away, as an engine would: then there is nothing. */
  async #end(empty: string): Promise<void> {
    // More than once, for networks can share an address: it is free when each has given it back.
    for (let round = 0; round < ROUNDS_AT_END; round++) {
      await this.#target.snapshot();
      const requests = removeAll(this.#target.held());
      if (requests.length === 0) break;
      for (const request of requests) {
        const verdict = await this.#ask(request);
        if (verdict?.kind === 'refused')
          this.#found('defect', `${request.path} of what is there was refused`);
      }
    }
    const after = await this.#target.snapshot(empty);
    for (const defect of this.#target.defects()) this.#found('defect', defect);
    if (after !== empty)
      this.#found('difference', `something is left at the end: ${difference(empty, after)}`);
  }

  #found(finding: Parameters<Tally['found']>[0], why: string): void {
    this.#findings++;
    this.#tally.found(finding, this.#number, why);
  }
}

const AROUND = 60;
const SHOWN = 400;

/** Where two texts part. */
function difference(before: string, after: string): string {
  let at = 0;
  while (at < before.length && before[at] === after[at]) at++;
  const from = Math.max(0, at - AROUND);
  return `\n  before …${before.slice(from, at + SHOWN)}\n  after  …${after.slice(from, at + SHOWN)}`;
}
