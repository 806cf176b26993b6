import type { FirewallElement } from '../host-state/types.ts';
import type { GatewayMode, Network } from '../model.ts';

/** Who besides the containers themselves may reach the containers of a bridge: by gateway mode and isolation. */
export function policyOf({ base, options, internal }: Network): FirewallElement[] {
  if (internal) return [];
  const key = [base.link];
  const ofMode = (family: 4 | 6, mode: GatewayMode): FirewallElement[] => {
    if (mode === 'nat-unprotected') return [{ set: `unprotected${family}`, key }];
    return mode === 'routed' ? [{ set: `routed${family}`, key }] : [];
  };
  return [
    ...ofMode(4, options.gatewayMode4),
    ...ofMode(6, options.gatewayMode6),
    ...(options.isolation ? [] : [{ set: 'unisolated' as const, key }]),
  ];
}
