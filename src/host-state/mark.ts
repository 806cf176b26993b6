/**
 * The ownership mark. A link that tsnet made says so in its alias; a link without it is never touched, and one
 * that has it and is not desired is removed.
 */
const PREFIX = 'tsnet:';

export const networkMark = (networkId: string): string => `${PREFIX}${networkId}`;
export const endpointMark = (networkId: string, endpointId: string): string =>
  `${PREFIX}${networkId}:${endpointId}`;
export const shimMark = (parent: string): string => `${PREFIX}shim:${parent}`;

export const isShimMark = (alias: string | undefined): boolean =>
  alias?.startsWith(`${PREFIX}shim:`) ?? false;

/** Whether a link's alias says that tsnet made it. */
export const isMarked = (alias: string | undefined): boolean => alias?.startsWith(PREFIX) ?? false;

/** Routing protocol number (rtnetlink rtm_protocol) of every route tsnet makes; unassigned in iproute2's rt_protos. */
export const ROUTE_PROTOCOL = 116;

/** Origin (IFA_PROTO, Linux 5.18) of every address tsnet adds; values below 128 are the kernel's to assign. */
export const ADDRESS_PROTOCOL = 216;

/** The bit of the packet mark by which one rule in DOCKER-USER knows what tsnet's own table has let through. */
export const PACKET_MARK = 0x10000000;
