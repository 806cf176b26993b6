import type { Stage } from '../campaign/stage.ts';
import type { Violation } from '../world/types.ts';

/** What a campaign has come to so far. */
export class Tally {
  rounds = 0;
  readonly violations: Violation[] = [];
  /** Milliseconds from the end of a round's faults and operations until all was as promised. */
  longestRecovery = 0;
  /** Calls of the engine's API. */
  calls = 0;
  longestCall = { ms: 0, call: '' };
  /** Milliseconds. */
  longestStart = 0;
  longestBoot = { ms: 0, containers: 0 };
  bareBoot = 0;

  round(recovery: number, violations: readonly Violation[]): void {
    this.rounds += 1;
    this.longestRecovery = Math.max(this.longestRecovery, recovery);
    this.violations.push(...violations);
  }

  /** Adds what a host has measured in its time. */
  stage({ calls, daemon, longestBoot, bare }: Stage): void {
    this.calls += calls.count;
    if (calls.longest.ms > this.longestCall.ms) this.longestCall = calls.longest;
    this.longestStart = Math.max(this.longestStart, daemon.longestStart);
    if (longestBoot.ms > this.longestBoot.ms) this.longestBoot = longestBoot;
    this.bareBoot = Math.max(this.bareBoot, bare?.boot ?? 0);
  }
}
