import type { Fault } from '../world/types.ts';
import { CLOCK_FAULTS } from './clock.ts';
import { LAN_FAULTS } from './lan.ts';
import { LINK_FAULTS } from './links.ts';
import { REQUEST_FAULTS, silentClients } from './requests.ts';
import { RULE_FAULTS } from './rules.ts';
import { STORE_FAULTS } from './store.ts';

/** What tsnet may be killed under. */
export const HOST_FAULTS: readonly Fault[] = [...LAN_FAULTS, ...LINK_FAULTS, ...RULE_FAULTS, silentClients];

/** What kills and starts tsnet by itself, and wants to be alone. */
export const LONE_FAULTS: readonly Fault[] = [
  ...STORE_FAULTS,
  ...CLOCK_FAULTS,
  ...REQUEST_FAULTS.filter(fault => fault !== silentClients),
];
