import { quantile } from '../statistics.ts';
import type { BareDaemon } from './bare-daemon.ts';
import type { BareHost } from './bare-host.ts';
import { attach, detach, type Place, placeOn } from './containers.ts';
import type { Result } from './limit.ts';
import type { Population } from './population.ts';

/** A host on which one more container comes and goes. */
export interface Candidate {
  readonly what: string;
  readonly host: BareHost;
  readonly daemon: BareDaemon;
  readonly population: Population;
}

const ROUNDS = 60;
/** The kernel's own work after a disconnect is no part of the next connect. */
const PAUSE_MS = 30;
const CONTAINERS = 20;

/**
 * What it takes to connect a container on hosts of different population, in turns.
 * @param candidates the first is what the others are compared with
 * @param most times as long as on the first
 */
export async function measureAttach(candidates: readonly Candidate[], most: number): Promise<Result[]> {
  const runs = await Promise.all(
    candidates.map(async candidate => ({
      candidate,
      places: await extraPlaces(candidate),
      connects: [] as number[],
      disconnects: [] as number[],
    })),
  );
  for (let round = 0; round < ROUNDS; round++) {
    for (const { candidate, places, connects, disconnects } of runs) {
      const place = places[round];
      if (place === undefined) throw new Error('limits: there is no place');
      const connect = await attach(candidate.daemon.client, place);
      const disconnect = await detach(candidate.daemon.client, place);
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
      // The first ones run code that is not compiled yet.
      if (round < ROUNDS / 6) continue;
      connects.push(connect);
      disconnects.push(disconnect);
    }
  }
  const [base] = runs;
  return runs.flatMap(({ candidate, connects, disconnects }) =>
    [
      ['connect', connects, base?.connects] as const,
      ['disconnect', disconnects, base?.disconnects] as const,
    ].flatMap(([operation, samples, of]): Result[] => {
      const median = quantile(samples, 0.5);
      const measure = `${operation}, all calls, ${candidate.what}`;
      if (samples === of) return [{ measure, unit: 'ms', got: median }];
      const ratio = median / quantile(of ?? [], 0.5);
      return [
        { measure, unit: 'ms', got: median },
        { measure: `${measure} ÷ ${base?.candidate.what}`, unit: 'x', limit: { most }, got: ratio },
      ];
    }),
  );
}

/**
 * For each round an address at the end of a network, and an endpoint, as an engine has a new one for every start. Some
 * containers take turns: the kernel is rid of an interface only some time after it was taken away.
 */
async function extraPlaces({ host, population }: Candidate): Promise<Place[]> {
  const sandboxes = await host.sandboxes('extra', CONTAINERS);
  const network = population.networks.at(-1);
  if (network === undefined) throw new Error('limits: there is no network');
  const last = 2 ** (32 - network.prefix) - 4;
  return Array.from({ length: ROUNDS }, (_, k) =>
    placeOn(network, last - k, sandboxes[k % CONTAINERS] ?? ''),
  );
}
