import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quantile } from '../statistics.ts';
import { BareHost } from './bare-host.ts';
import { attach, createNetwork, detach, placeOn, testNetwork } from './containers.ts';
import type { Result } from './limit.ts';

/** What the storm did; milliseconds. */
export interface Storm {
  /** Share of the event loop's turns that came at most so late. */
  readonly delay: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Of a question without work in it, asked again and again meanwhile. */
  readonly answer: { readonly p50: number; readonly p99: number; readonly max: number };
  /** From the last answer to a disconnect until the last link was gone. */
  readonly gone: number;
  readonly seconds: number;
}

/** Seldom enough to be no load of its own. */
const ASKED_EVERY_MS = 5;

/** Runs inside of the daemon, from NODE_OPTIONS: nothing of it is in the executable. */
const PROBE = join(import.meta.dirname, 'delay-probe.cjs');

/**
 * Connects so many containers at once and then disconnects all of them at once, on a fresh host.
 * @throws Error when a link is left after 30 s
 */
export async function storm(count: number): Promise<Storm> {
  await using host = await BareHost.create();
  const file = join(host.directory, 'delay.json');
  const daemon = await host.start({ nodeOptions: `--require=${PROBE}`, env: { DELAY_FILE: file } }).ready();
  const { client } = daemon;
  const network = testNetwork(0, 20);
  await createNetwork(client, network);
  const before = (await host.links()).length;
  const sandboxes = await host.sandboxes('s', count + 1);
  const places = sandboxes.map((sandbox, k) => placeOn(network, k, sandbox));
  // One ahead of the others, alone: what runs for the first time is not compiled.
  const first = places.pop();
  if (first !== undefined) {
    await attach(client, first);
    await detach(client, first);
  }
  daemon.signal('SIGUSR2');

  const answers: number[] = [];
  let raging = true;
  const asking = (async () => {
    while (raging) {
      answers.push(await client.timed('Plugin.Activate'));
      await new Promise(resolve => setTimeout(resolve, ASKED_EVERY_MS));
    }
  })();
  const start = performance.now();
  await Promise.all(places.map(place => attach(client, place)));
  await Promise.all(places.map(place => detach(client, place)));
  const end = performance.now();
  raging = false;
  await asking;
  while ((await host.links()).length > before) {
    if (performance.now() - end > 30_000) throw new Error('limits: links are left after 30 s');
  }
  const gone = performance.now() - end;
  await daemon.stop();
  return {
    delay: JSON.parse(await readFile(file, 'utf8')),
    answer: {
      p50: quantile(answers, 0.5),
      p99: quantile(answers, 0.99),
      max: Math.max(...answers),
    },
    gone,
    seconds: (end - start) / 1000,
  };
}

const CONTAINERS = 200;
const ROUNDS = 5;

/** How well the daemon keeps up in a storm, and how soon the kernel is rid of what it left. */
export async function measureStorm(): Promise<Result[]> {
  const storms: Storm[] = [];
  for (let round = 0; round < ROUNDS; round++) storms.push(await storm(CONTAINERS));
  const median = (of: (one: Storm) => number) => quantile(storms.map(of), 0.5);
  const what = `storm of ${CONTAINERS} containers`;
  return [
    {
      measure: `event-loop delay p99, ${what}`,
      unit: 'ms',
      limit: { most: 5 },
      got: median(({ delay }) => delay.p99),
      note: `p50 ${median(({ delay }) => delay.p50).toFixed(2)} ms, longest ${median(({ delay }) => delay.max).toFixed(1)} ms`,
    },
    {
      measure: `Plugin.Activate meanwhile p99, ${what}`,
      unit: 'ms',
      got: median(({ answer }) => answer.p99),
      note: `p50 ${median(({ answer }) => answer.p50).toFixed(1)} ms`,
    },
    {
      measure: `last answer to last link gone, ${what}`,
      unit: 'ms',
      limit: { most: 2000 },
      got: Math.max(...storms.map(({ gone }) => gone)),
      note: 'the slowest round',
    },
    { measure: `whole ${what}, connect and disconnect`, unit: 'ms', got: median(s => s.seconds * 1000) },
  ];
}
