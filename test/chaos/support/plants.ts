import type { Scene } from './scene.ts';

/** Something wrong that a script does to a host, and the violation that the judge has to find then. */
export interface Plant {
  readonly rule: string;
  /** Part of the violation's subject. */
  readonly subject: (scene: Scene) => string;
  /** Part of its words; absent: any. */
  readonly detail?: string;
  /** Where it does that, if not on the host. */
  readonly on?: 'lan';
  /** bash. */
  readonly plant: (scene: Scene) => string;
  /** bash; absent: tsnet puts it right, or what undoes another does. */
  readonly undo?: (scene: Scene) => string;
}

/** The same text on every host. */
export const always = (text: string) => (): string => text;

/** A plant whose script needs no names. */
export const plain = (rule: string, subject: string, plant: string, undo?: string): Plant => ({
  rule,
  subject: always(subject),
  plant: always(plant),
  ...(undo === undefined ? {} : { undo: always(undo) }),
});
