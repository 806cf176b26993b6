import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { judge } from '../../chaos/judge/judge.ts';
import { lookAt } from '../../chaos/judge/look.ts';
import { WHEN_TSNET_ENDS } from '../../chaos/judge/provoked.ts';
import { ENGINES } from '../engine/support/tsnet-host.ts';
import { JudgedHost } from './support/judged-host.ts';

/** The newest engine's host is in judge-plants.test.ts. */
const [oldest = '20.10'] = ENGINES;

describe(`a healthy host with engine ${oldest}`, () => {
  let host: JudgedHost;

  beforeAll(async () => {
    host = await JudgedHost.create(oldest);
  });
  afterAll(() => host?.lab.destroy());

  test('is judged clean before anything was made', async () => {
    expect(await judge(host.target())).toEqual([]);
  });

  test('is judged clean with networks of all modes', async () => {
    await host.populate();
    expect(await judge(host.target())).toEqual([]);
  });

  test('is seen as a whole', async () => {
    const { engine: words, kernel, store, promises, lan } = await lookAt(host.target());
    expect(promises.networks.map(({ name }) => name).sort()).toEqual([...host.networks.keys()].sort());
    expect(words.containers).toHaveLength(host.containers.size);
    expect(kernel.containers.size).toBe(host.containers.size - 1);
    expect(store.endpoints).toHaveLength(promises.endpoints.length);
    expect(kernel.host.table?.elements.length).toBeGreaterThan(20);
    expect(lan?.links.map(({ name }) => name)).toContain('br1');
  });

  test('is judged clean after tsnet was killed and started again', async () => {
    await host.tsnet.restart('KILL');
    expect(await judge(host.target({ patience: 10_000, provoked: WHEN_TSNET_ENDS }))).toEqual([]);
  });

  test('is judged clean when all is removed', async () => {
    await host.removeAll();
    expect(await judge(host.target({ provoked: WHEN_TSNET_ENDS }))).toEqual([]);
  });
});
