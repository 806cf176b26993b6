import { type BenchHost, EngineHangs } from '../bench-host.ts';
import { DRIVER_CASES } from '../cases.ts';
import { OwnCalls } from '../own-calls.ts';
import { interleaved } from '../plan.ts';
import { Samples, type Subject } from '../samples.ts';
import { CONNECT_AND_DISCONNECT, STAYS, TAKEN_OVER } from '../scenarios.ts';
import { Settler } from '../settle.ts';
import { networkBeside } from './gateway.ts';
import { Leaks } from './leaks.ts';
import type { Measure } from './measure.ts';

interface StormSubject extends Subject {
  /** Sorts before or behind the containers' base network. */
  readonly network: string;
}

const BASE = { name: 'm-base', driver: 'bridge', subnet: '198.18.20.0/24', gateway: '198.18.20.1' };
const SUBJECTS: readonly StormSubject[] = [
  { scenario: TAKEN_OVER, prefix: 'a' },
  { scenario: STAYS, prefix: 'z' },
].flatMap(({ scenario, prefix }) =>
  DRIVER_CASES.map(one => ({ scenario, one, network: `${prefix}-${one.slug}` })),
);
/** Containers that are started at once. */
const STARTED_TOGETHER = 5;
/** Milliseconds for one call: a storm of the slowest driver takes a tenth of that. */
const PATIENCE = 60_000;
/** Storms of one case in one round in which the engine may hang. */
const ATTEMPTS = 3;

/** `network connect`, then `network disconnect`, of many running containers at once. */
export const storm: Measure = {
  title: ({ rounds, containers }) =>
    `${containers} running containers connected at once, then disconnected at once; ms until the last is done; ` +
    `${rounds} rounds, each with a network of its own`,
  headline: ['connect', 'disconnect'],
  async run(host, { rounds, containers }, progress) {
    const names = Array.from({ length: containers }, (_, k) => `storm-${k}`);
    await host.createNetwork(BASE.name, BASE);
    const runAll = () => inGroups(names, name => host.runIdle(name, BASE.name));
    await runAll();
    let settler!: Settler;
    let bare!: Settler;
    const look = async () => {
      settler = await Settler.of(host, names);
      bare = await Settler.of(host, names);
    };
    await look();
    const samples = new Samples(SUBJECTS, ['connect', 'disconnect', 'settled']);
    const own = new OwnCalls(SUBJECTS, () => host.tsnet.log());
    const leaks = new Leaks(host, SUBJECTS);
    for (let round = 0; round <= rounds; round++) {
      progress(round);
      // One storm is warm-up enough for what all of them share.
      const subjects = round === 0 ? SUBJECTS.slice(0, 1) : interleaved(SUBJECTS, round);
      for (const subject of subjects) {
        const took = await repeated(
          () => own.during(subject, () => batch(host, settler, subject, names)),
          async () => {
            await leaks.recover(subject, subject.network, names);
            await runAll();
            await look();
          },
        );
        if (await leaks.removeNetwork(subject, subject.network)) {
          await inGroups(names, name => host.tsnet.docker('start', name));
          await look();
        }
        await bare.settled();
        if (round === 0) continue;
        for (const [operation, ms] of Object.entries(took)) samples.add(subject, operation, round, ms);
      }
    }
    await host.tsnet.docker('rm', '-f', ...names);
    await host.removeNetwork(BASE.name);
    await host.expectClean();
    return { rows: samples.rows(), calls: own.rows(CONNECT_AND_DISCONNECT), leaks: leaks.rows() };
  },
};

async function inGroups(names: readonly string[], action: (name: string) => Promise<unknown>): Promise<void> {
  for (let k = 0; k < names.length; k += STARTED_TOGETHER) {
    await Promise.all(names.slice(k, k + STARTED_TOGETHER).map(action));
  }
}

/** Does it until the engine does not hang in it. @param recover makes a new attempt possible */
async function repeated<T>(action: () => Promise<T>, recover: () => Promise<void>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof EngineHangs) || attempt === ATTEMPTS) throw error;
      await recover();
    }
  }
}

async function batch(
  host: BenchHost,
  settler: Settler,
  { one, network }: StormSubject,
  names: readonly string[],
) {
  await host.createNetwork(network, networkBeside(one, BASE.gateway));
  settler.expectThis();
  const call = (what: string, name: string) =>
    host.call('POST', `/networks/${network}/${what}`, 200, { Container: name }, PATIENCE);
  // The first use of a network, or of an engine that was started again, costs more than others.
  for (const name of names.slice(0, 1)) {
    await call('connect', name);
    await call('disconnect', name);
  }
  await settler.settled();
  const all = async (what: string) => {
    const start = performance.now();
    await Promise.all(names.map(name => call(what, name)));
    return performance.now() - start;
  };
  const connect = await all('connect');
  return { connect, disconnect: await all('disconnect'), settled: await settler.settled() };
}
