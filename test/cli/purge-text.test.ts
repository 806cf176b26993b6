import { expect, it } from 'vitest';
import { existingText } from '../../src/cli/purge-text.ts';
import type { Network } from '../../src/model.ts';
import { ENDPOINT, NETWORK } from '../store/samples.ts';

const { name: _, ...UNNAMED } = NETWORK;
const OWN: Network = {
  ...UNNAMED,
  id: 'b'.repeat(64),
  options: { ...NETWORK.options, mode: 'bridge' },
  base: { kind: 'own', link: 'tsb0', type: 'bridge' },
};

it('lists networks with their containers, and how to remove them', () => {
  const names = new Map([
    [NETWORK.id, 'lan'],
    [OWN.id, 'my web'],
  ]);
  expect(existingText({ networks: [NETWORK, OWN], endpoints: [ENDPOINT] }, names)).toBe(
    `tsnet: nothing is removed: 2 networks of tsnet exist
  lan: macvlan on uplink, 1 container
  my web: bridge, 0 containers
Remove what you do not need: docker network rm lan 'my web'
Or give it all up, with the interfaces of containers: tsnet purge --force`,
  );
});

it('tells apart what the engine does not have any more', () => {
  const text = existingText({ networks: [NETWORK], endpoints: [] }, new Map());
  expect(text).toContain('1 network of tsnet exists\n');
  expect(text).toContain('  lan: macvlan on uplink, 0 containers, unknown to the engine\n');
  expect(text).not.toContain('docker network rm');
});

it('goes by ids where no name is known', () => {
  expect(existingText({ networks: [OWN], endpoints: [] }, undefined)).toContain(
    'docker network rm bbbbbbbbbbbb\n',
  );
});

it('hands no control character of a name to the terminal', () => {
  expect(
    existingText({ networks: [{ ...NETWORK, name: 'a\x1b[2Jb' }], endpoints: [] }, undefined),
  ).not.toContain('\x1b');
});
