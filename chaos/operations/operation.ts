import type { EngineCalls, Outcome } from '../campaign/engine-calls.ts';
import type { CampaignWorld } from '../world/world.ts';

/** Something that a user asks of the engine, chosen and not yet done. */
export interface Operation {
  /** kebab-case, as the report counts it. */
  readonly kind: string;
  /** The same in the words of the docker client. */
  readonly text: string;
  /** Containers and networks that nothing else may concern meanwhile. */
  readonly exclusive: readonly string[];
  /** Networks that have to stay meanwhile. */
  readonly shared: readonly string[];
  /**
   * Does it, and writes what it did into the world; where it fails, that what it concerns is uncertain.
   * @returns the outcome of the call that was refused or cut off; undefined: all succeeded
   */
  readonly perform: (calls: EngineCalls, world: CampaignWorld) => Promise<Outcome | undefined>;
}
