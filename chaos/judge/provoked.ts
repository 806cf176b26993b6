/**
 * What an engine says, rightly, when tsnet is killed under it or is not there: it tries again. To be given to the judge as
 * `provoked` after such a fault, so that everything else in the logs still counts.
 */
export const WHEN_TSNET_ENDS: readonly RegExp[] = [
  /Unable to connect to plugin: .*(connection refused|connection reset by peer|EOF|no such file or directory|broken pipe).*retrying in \d+s/,
  /Unable to locate plugin: tsnet, retrying in \d+s/,
  /plugin \\"tsnet\\" not found/,
  // Engines repeat a call that was cut off without its body (moby#35459).
  /BODY_EMPTY/,
  /(Network|Ipam)Driver\.\w+\\?": ?(EOF|read unix|write unix|dial unix)/,
];

/** What an engine says, besides, when it boots after a power loss: of the containers that ran it tidies up what tsnet need not remember. */
export const WHEN_POWER_IS_LOST: readonly RegExp[] = [
  ...WHEN_TSNET_ENDS,
  /(Failed to set gateway|driver failed programming external connectivity).*ENDPOINT_UNKNOWN/,
];

/**
 * What an engine says, besides, after any death: what a call that was cut off has left is in the way of the next one until tsnet has asked
 * the engine what it has.
 */
export const WHEN_PROCESSES_DIE: readonly RegExp[] = [
  ...WHEN_POWER_IS_LOST,
  /(Network|Ipam)Driver\.\w+: (SUBNET_OVERLAP|POOL_OVERLAP|ADDRESS_TAKEN|PORT_TAKEN|PARENT_BUSY|ENDPOINT_EXISTS)/,
];
