import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ContainerNames } from '../../src/engine/container-names.ts';
import { createLog } from '../../src/log.ts';

const log = createLog({ level: 'error', format: 'text' });
let endpoints: { id: string; networkId: string }[];
let containers: Map<string, { container: string; network: string }>;
let asked: (readonly string[])[];
let isUp: boolean;
let names: ContainerNames;

beforeEach(() => {
  vi.useFakeTimers();
  endpoints = [{ id: 'e1', networkId: 'n1' }];
  containers = new Map([['e1', { container: 'web1', network: 'web' }]]);
  asked = [];
  isUp = true;
  names = new ContainerNames({
    log,
    endpoints: () => endpoints,
    view: async networks => {
      asked.push(networks);
      if (!isUp) throw new Error('the engine is not up');
      return new Map(containers);
    },
  });
});
afterEach(() => {
  names.close();
  vi.useRealTimers();
});

it('are learned by one look for all that asked meanwhile', async () => {
  endpoints.push({ id: 'e2', networkId: 'n2' });
  containers.set('e2', { container: 'db', network: 'back' });
  names.refresh();
  names.refresh();
  expect(names.nameOf('e1')).toBeUndefined();
  await vi.runAllTimersAsync();
  expect(asked).toEqual([['n1', 'n2']]);
  expect(['e1', 'e2', 'e3'].map(id => names.nameOf(id))).toEqual(['web1', 'db', undefined]);
});

it('are asked for once more where the engine was not up, and not for ever', async () => {
  isUp = false;
  names.refresh();
  await vi.runAllTimersAsync();
  expect(asked).toHaveLength(2);
  isUp = true;
  names.refresh();
  await vi.runAllTimersAsync();
  expect(names.nameOf('e1')).toBe('web1');
  expect(asked).toHaveLength(3);
});

it('are not asked for while all are known, or nobody publishes', async () => {
  names.refresh();
  await vi.runAllTimersAsync();
  names.refresh();
  await vi.runAllTimersAsync();
  expect(asked).toHaveLength(1);
  endpoints = [];
  names.refresh();
  await vi.runAllTimersAsync();
  expect(asked).toHaveLength(1);
});

it('are not asked for after the end', async () => {
  names.refresh();
  names.close();
  names.refresh();
  await vi.runAllTimersAsync();
  expect(asked).toEqual([]);
});
