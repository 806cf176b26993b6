import type { Router } from 'express';
import type { PortProtocol } from '../host-state/types.ts';
import { type CallContext, Methods } from './methods.ts';

/** A published port, in the terms of those who use it. */
export interface ListedPort {
  readonly networkId: string;
  /** Absent until the engine has said it. */
  readonly network?: string;
  readonly endpointId: string;
  readonly mode: 'bridge' | 'macvlan';
  readonly protocol: PortProtocol;
  /** Bare; `0.0.0.0` and `::` stand for every address of their family. */
  readonly hostAddress: string;
  readonly hostPort: number;
  /** Bare. */
  readonly containerAddress: string;
  readonly containerPort: number;
  /** On the host, or on the container's own address on its LAN. */
  readonly at: 'host' | 'self';
}

/** What can be asked about published ports. */
export interface Ports {
  /** All that are published at present. @throws TsnetError STATE_* while the store cannot be read */
  published(): readonly ListedPort[];
}

/** What tsnet's own command line asks of the daemon; the engine asks none of it. */
export const adminRouter = (ports: Ports, context: CallContext): Router => {
  const methods = new Methods('Tsnet', context);
  methods.bare('Ports', () => ({ ports: ports.published() }));
  return methods.router;
};
