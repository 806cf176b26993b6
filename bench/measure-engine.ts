import { join } from 'node:path';
import { TsnetHost } from '../test/engine/support/tsnet-host.ts';
import type { Generation } from '../test/lab/engines.ts';
import { Lab } from '../test/lab/lab.ts';
import { waitFor } from '../test/lab/wait.ts';
import { CASES, type Case, clear, furnish, NULL_DRIVER, VARIANTS, type Variant } from './cases.ts';
import { Settler } from './settle.ts';
import { type Figures, figures } from './statistics.ts';

export interface Plan {
  readonly rounds: number;
  /** Connects, and as many disconnects, of each case in each round. */
  readonly connects: number;
}

/** What came out for one driver and one place of the default gateway. */
export interface Row {
  readonly gateway: Variant['name'];
  readonly driver: string;
  readonly connect: Figures;
  readonly disconnect: Figures;
  /** Milliseconds until nothing of the last disconnect was left in the kernel, one sample a round. */
  readonly settle: Figures;
}

export interface EngineReport {
  readonly engine: string;
  readonly rows: readonly Row[];
}

interface Samples {
  readonly connect: number[][];
  readonly disconnect: number[][];
  readonly settle: number[][];
}

/**
 * Measures every case on a throwaway host with an engine of this generation; nothing of the host is left.
 *
 * @param progress told the number of the round that begins, from 1, or 0 for the warm-up
 * @throws Error when a call fails, or when a driver leaves a link behind
 */
export async function measureEngine(
  generation: Generation,
  plan: Plan,
  progress: (round: number) => void,
): Promise<EngineReport> {
  await using lab = await Lab.create({ hosts: [{ engine: generation }], nics: 2 });
  const host = new TsnetHost(lab.host());
  await Promise.all([host.start('--log-level', 'info'), host.host.loadImage(), startNullDriver(host)]);
  await furnish(host);
  const settler = await Settler.of(
    host,
    VARIANTS.map(variant => variant.container),
  );
  const samples = new Map<string, Samples>();
  progress(0);
  for (const one of CASES) for (const variant of VARIANTS) await batch(host, settler, one, variant, 2);
  for (let round = 1; round <= plan.rounds; round++) {
    progress(round);
    for (const [one, variant] of rotated(round)) {
      const taken = await batch(host, settler, one, variant, plan.connects);
      const key = `${variant.name}/${one.name}`;
      const sofar = samples.get(key) ?? { connect: [], disconnect: [], settle: [] };
      samples.set(key, sofar);
      sofar.connect.push(taken.connect);
      sofar.disconnect.push(taken.disconnect);
      sofar.settle.push([taken.settle]);
    }
  }
  await clear(host);
  const left = await host.links();
  if (left.length > 0) throw new Error(`bench: links of tsnet are left: ${left.join(' ')}`);
  return { engine: host.host.engine.version, rows: report(samples) };
}

/** Every case with every variant; each round begins at another one, so that none always follows the same. */
function rotated(round: number): [Case, Variant][] {
  const all = VARIANTS.flatMap(variant => CASES.map((one): [Case, Variant] => [one, variant]));
  const from = (round * 3) % all.length;
  return [...all.slice(from), ...all.slice(0, from)];
}

/** Connects and disconnects `count` times, and waits until the kernel is as before. */
async function batch(host: TsnetHost, settler: Settler, one: Case, variant: Variant, count: number) {
  const connect: number[] = [];
  const disconnect: number[] = [];
  for (let k = 0; k < count; k++) {
    connect.push(await timed(host, one.network, 'connect', variant.container));
    disconnect.push(await timed(host, one.network, 'disconnect', variant.container));
  }
  return { connect, disconnect, settle: await settler.settled() };
}

async function timed(host: TsnetHost, network: string, what: string, container: string): Promise<number> {
  const start = performance.now();
  const answer = await host.host.api('POST', `/networks/${network}/${what}`, { Container: container });
  const took = performance.now() - start;
  if (answer.status !== 200) throw new Error(`bench: ${what} ${network}: ${JSON.stringify(answer.body)}`);
  return took;
}

async function startNullDriver({ host }: TsnetHost): Promise<void> {
  const socket = `/run/docker/plugins/${NULL_DRIVER}.sock`;
  await host.exec('mkdir', ['-p', '/run/docker/plugins']);
  await host.spawn('node', [join(import.meta.dirname, 'null-driver.ts'), socket]);
  await waitFor(async () => (await host.exec('test', ['-S', socket], { reject: false })).exitCode === 0, {
    what: 'the null driver to listen',
  });
}

function report(samples: ReadonlyMap<string, Samples>): Row[] {
  return VARIANTS.flatMap(variant =>
    CASES.map(one => {
      const found = samples.get(`${variant.name}/${one.name}`);
      if (found === undefined) throw new Error(`bench: ${one.name} was not measured`);
      return {
        gateway: variant.name,
        driver: one.name,
        connect: figures(found.connect),
        disconnect: figures(found.disconnect),
        settle: figures(found.settle),
      };
    }),
  );
}
