import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { judge } from '../../chaos/judge/judge.ts';
import { lookAt } from '../../chaos/judge/look.ts';
import { WHEN_TSNET_ENDS } from '../../chaos/judge/provoked.ts';
import type { Violation } from '../../chaos/world/types.ts';
import { daemonOf } from '../engine/support/host-view.ts';
import { ENGINES } from '../engine/support/tsnet-host.ts';
import { stat } from '../lab/proc.ts';
import { JudgedHost } from './support/judged-host.ts';
import { LIES, lyingTarget, silentTarget } from './support/lies.ts';
import type { Plant } from './support/plants.ts';
import { LEFT } from './support/plants-left.ts';
import { DEAD, LOST } from './support/plants-lost.ts';
import { Scene } from './support/scene.ts';
import { plantInStore, restoreStore, STORE_PLANTS } from './support/store-plants.ts';

const newest = ENGINES.at(-1) ?? '28';

let host: JudgedHost;
let scene: Scene;

beforeAll(async () => {
  host = await JudgedHost.create(newest);
  await host.populate();
  // Ports that were published are known from here on; and all is well.
  expect(await judge(host.target())).toEqual([]);
  scene = new Scene(await lookAt(host.target()));
});
afterAll(() => host?.lab.destroy());

async function run(plants: readonly Plant[], script: (plant: Plant) => string | undefined): Promise<void> {
  for (const plant of plants) {
    const node = plant.on === 'lan' ? host.lab.lan : host.tsnet.host;
    const line = script(plant);
    if (line !== undefined) await node.sh(line);
  }
}
const plantAll = (plants: readonly Plant[]): Promise<void> => run(plants, ({ plant }) => plant(scene));
const undoAll = (plants: readonly Plant[]): Promise<void> => run(plants, ({ undo }) => undo?.(scene));

const rows = (plants: readonly Plant[]): (readonly [string, Plant])[] =>
  plants.map(plant => [plant.rule, plant]);

function expectFound(found: readonly Violation[], rule: string, subject: string, detail = ''): void {
  const those = found.filter(one => one.rule === rule && one.subject.includes(subject));
  expect(
    those.filter(one => one.detail.includes(detail)),
    `${rule} of ${subject} ${detail} in:\n${list(found)}`,
  ).not.toEqual([]);
}

const expectPlant = (found: readonly Violation[], { rule, subject, detail }: Plant): void =>
  expectFound(found, rule, subject(scene), detail);

const list = (found: readonly Violation[]): string =>
  found.map(({ rule, subject, detail }) => `${rule} ${subject}: ${detail}`).join('\n');

/** Has tsnet stand still meanwhile: it would put right what it sees. */
async function whileFrozen(action: () => Promise<void>): Promise<void> {
  const daemon = daemonOf(host.tsnet);
  process.kill(daemon, 'SIGSTOP');
  try {
    await action();
  } finally {
    // nsenter, its parent, stops as well when it sees that.
    for (const pid of [stat(daemon)?.parent ?? daemon, daemon]) process.kill(pid, 'SIGCONT');
  }
}

/** Nothing is wrong any more, soon. */
async function expectWell(): Promise<void> {
  const found = await judge(host.target({ patience: 15_000, provoked: WHEN_TSNET_ENDS }));
  expect(list(found)).toBe('');
}

describe('what belongs to nothing', () => {
  let found: Violation[];

  beforeAll(async () => {
    await whileFrozen(async () => {
      await plantAll(LEFT);
      found = await judge(host.target({ patience: 0 }));
      await undoAll(LEFT);
    });
  });

  test.each(rows(LEFT))('%s is found (%#)', (_, plant) => expectPlant(found, plant));
  test('and is not found when it is gone', expectWell);
});

describe('what is lost or wrong', () => {
  let found: Violation[];

  beforeAll(async () => {
    await whileFrozen(async () => {
      await plantAll(LOST);
      await plantInStore(host.tsnet.host, scene);
      found = await judge(host.target({ patience: 0 }));
      await restoreStore(host.tsnet.host);
      await undoAll(LOST);
    });
  });

  test.each(rows(LOST))('%s is found (%#)', (_, plant) => expectPlant(found, plant));
  test.each(STORE_PLANTS)('%s is found', (rule, subject) => expectFound(found, rule, subject));
  test('and is not found when it is right again', expectWell);
});

describe('what is wrong without tsnet', () => {
  let found: Violation[];

  beforeAll(async () => {
    await host.tsnet.stop('KILL');
    await plantAll(DEAD);
    found = await judge(host.target({ patience: 0 }));
    await undoAll(DEAD);
    await host.tsnet.start();
  });

  test.each(rows(DEAD))('%s is found (%#)', (_, plant) => expectPlant(found, plant));
});

describe('what world, engine and logs say', () => {
  let found: Violation[];

  beforeAll(async () => {
    found = await judge({ ...lyingTarget(host), patience: 0 });
  });

  test.each(LIES)('%s of %s is found', (rule, subject) => expectFound(found, rule, subject));

  test('what is in time, or was provoked, is not found', async () => {
    expect(found.map(({ subject }) => subject)).not.toContain('boot 2');
    expect(found.map(({ subject }) => subject)).not.toContain('docker rm');
    const again = await judge({
      ...lyingTarget(host),
      patience: 0,
      provoked: [/broke|retrying|panic|deadline/],
    });
    expect(again.filter(({ rule }) => /log|crashed/.test(rule))).toEqual([]);
  });
});

test('a host whose engine does not answer is found', async () => {
  expectFound(await judge({ ...silentTarget(host), patience: 0 }), 'host-unreadable', 'h1');
});

test('when all is put right nothing is found any more, nor when all is removed', async () => {
  await expectWell();
  await host.removeAll();
  await expectWell();
});

test('there is no rule that was not seen to find something', () => {
  const planted = new Set<string>([
    ...[...LEFT, ...LOST, ...DEAD].map(({ rule }) => rule),
    ...[...STORE_PLANTS, ...LIES].map(([rule]) => rule),
    'host-unreadable',
  ]);
  const folder = join(import.meta.dirname, '../../chaos/judge');
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name =>
    name.endsWith('.ts'),
  );
  const text = sources.map(name => readFileSync(join(folder, name), 'utf8')).join('\n');
  // A rule's name stands where a violation is made, or where a question to the network is.
  const rules = text.matchAll(
    /(?:violation\(|several\(holders, |rule: |LATE\.test\(line\) \? |\? 'unreachable' : )\s*'([a-z-]+)'/g,
  );
  const named = new Set([...rules].map(([, rule]) => rule ?? ''));
  expect([...named].filter(rule => !planted.has(rule))).toEqual([]);
  expect(named.size).toBeGreaterThan(50);
});
