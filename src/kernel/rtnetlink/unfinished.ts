/**
 * The kernel ignores an alias in the message that creates a link (looked up in 6.18), so a link lives for a moment
 * without its mark. It does take a group: a new link starts down and in this group, and the message that gives
 * it the alias and brings it up takes it out again. What a crash leaves between the two is thereby known as tsnet's.
 */
export const UNFINISHED_GROUP = 0x74736e74;

/** The alias that such a link is reported with: marked, and never equal to that of a desired link. */
export const UNFINISHED_ALIAS = 'tsnet:unfinished';
