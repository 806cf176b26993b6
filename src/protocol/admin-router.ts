import type { RequestHandler } from 'express';
import type { PortProtocol } from '../host-state/types.ts';
import type { ListedOrphan } from '../orphans/suspicions.ts';
import type { StoreHealth } from '../store/health.ts';
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

/** How a daemon is. */
export interface DaemonStatus {
  readonly networks: number;
  readonly endpoints: number;
  /** Interfaces of containers since it started, by who put them there. */
  readonly attached: {
    readonly byEngine: number;
    readonly inside: number;
    /** Of those that the engine put there: the ones that tsnet could not have, for it cannot look into their sandboxes. */
    readonly unopened: number;
  };
  /** What the engine does not know, and what becomes of it. */
  readonly orphans: readonly ListedOrphan[];
  /** How many of those have been removed since the daemon started. */
  readonly collected: number;
  /** How its state is on the disk. */
  readonly store: StoreHealth;
}

/** What can be asked about the daemon itself. */
export interface Admin {
  /** All ports that are published at present. @throws TsnetError STATE_* while the store cannot be read */
  published(): readonly ListedPort[];
  /** @throws TsnetError STATE_* while the store cannot be read */
  status(): DaemonStatus;
}

/** What tsnet's own command line asks of the daemon; the engine asks none of it. */
export const adminRouter = (admin: Admin, context: CallContext): RequestHandler => {
  const methods = new Methods('Tsnet', context);
  methods.bare('Ports', () => ({ ports: admin.published() }));
  methods.bare('Status', () => admin.status());
  return methods.router;
};
