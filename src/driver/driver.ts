import type { NetworkDriver } from '../protocol/types.ts';
import { Attachments } from './attachments.ts';
import type { Context } from './context.ts';
import { Endpoints } from './endpoints.ts';
import { Joining } from './joining.ts';
import { Networks } from './networks.ts';
import { OutsideWorld } from './outside-world.ts';

/** tsnet's answer to libnetwork's network driver protocol. */
export function createDriver(context: Context, attachments = new Attachments(context)): NetworkDriver {
  const networks = new Networks(context);
  const outside = new OutsideWorld(context);
  const endpoints = new Endpoints(context, outside);
  const joining = new Joining(context, outside, attachments);
  return {
    registered: () => attachments.restored.engineStarted(),
    gwAllocCheck: async flags => networks.gwAllocCheck(flags),
    createNetwork: (request, call) => networks.create(request, call),
    deleteNetwork: (id, call) => networks.delete(id, call),
    createEndpoint: (request, call) => endpoints.create(request, call),
    deleteEndpoint: (ref, call) => endpoints.delete(ref, call),
    // The engine reads published ports out of this, but no remote driver's answer can reach it (libnetwork#2451).
    operInfo: async () => ({}),
    join: (request, call) => joining.join(request, call),
    leave: (ref, call) => endpoints.leave(ref, call),
    program: (request, call) => outside.program(request, call),
    revoke: (ref, call) => outside.revoke(ref, call),
  };
}
