import type { PortProtocol } from '../host-state/types.ts';

/** IPPROTO_*. */
export const PROTOCOL_NUMBERS: Readonly<Record<PortProtocol, number>> = { tcp: 6, udp: 17, sctp: 132 };
