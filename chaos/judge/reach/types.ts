import type { Question } from '../probe/plan.ts';

/** A question to the network, and what it would mean if it were not answered as promised. */
export interface Reach extends Question {
  readonly rule: string;
  readonly subject: string;
  /** The name that the answer is to be, of an ask; absent: none in particular. */
  readonly name?: string;
}
