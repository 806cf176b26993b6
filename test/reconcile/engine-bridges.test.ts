import { expect, it } from 'vitest';
import { isEngineBridge } from '../../src/reconcile/engine-bridges.ts';

const link = (name: string, kind?: string) => ({
  index: 1,
  name,
  mtu: 1500,
  up: true,
  carrier: true,
  loopback: false,
  ...(kind === undefined ? {} : { kind }),
});

it.each(['docker0', 'docker_gwbridge', 'br-0123456789ab'])('%s is a bridge of the engine', name =>
  expect(isEngineBridge(link(name, 'bridge'))).toBe(true),
);

it.each([
  ['br-lan', 'bridge'],
  ['br-0123456789abc', 'bridge'],
  ['br-0123456789AB', 'bridge'],
  ['docker1', 'bridge'],
  ['tsb0123456789', 'bridge'],
  ['docker0', 'dummy'],
  ['docker0', undefined],
])('%s of kind %s is not', (name, kind) => expect(isEngineBridge(link(name, kind))).toBe(false));
