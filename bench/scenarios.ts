/**
 * Who holds a container's default route while it is on two networks, which changes every figure: the network that it
 * is connected to (and gives it back at the disconnect), or the other one. The engine prefers the network whose name
 * sorts first.
 */
export const TAKEN_OVER = 'gateway taken over';
export const STAYS = 'gateway stays';

/**
 * Connects and disconnects that follow on each other at once, so that each pays for what the one before has left to the
 * kernel. Otherwise the kernel is at rest before a connect.
 */
export const backToBack = (scenario: string): string => `${scenario}, back to back`;

/** A network that is created and removed again. */
export const EMPTY = 'no containers';

/** A container that publishes so many ports. */
export const published = (count: number): string => `${count} port${count === 1 ? '' : 's'}`;
/** What lives with ports are compared with. */
export const NO_PORTS = published(0);

/** What all calls about one endpoint are together: see OwnCalls. */
export const CONNECT_AND_DISCONNECT = 'connect + disconnect';
