/** How the state on the disk is, for those who ask. */
export interface StoreHealth {
  /** Why it cannot be read or written at present; absent: it can. */
  readonly problem?: string;
  /** Paths of damaged state files that were kept: what they held is restored from the last good state. */
  readonly damaged: readonly string[];
}
