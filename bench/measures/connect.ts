import type { BenchHost } from '../bench-host.ts';
import { DRIVER_CASES } from '../cases.ts';
import { OwnCalls } from '../own-calls.ts';
import { interleaved } from '../plan.ts';
import { Samples, type Subject } from '../samples.ts';
import { backToBack, CONNECT_AND_DISCONNECT, STAYS, TAKEN_OVER } from '../scenarios.ts';
import { Settler } from '../settle.ts';
import { networkBeside } from './gateway.ts';
import type { Measure } from './measure.ts';

interface ConnectSubject extends Subject {
  readonly container: string;
  /** Whether the kernel is at rest before each connect, or before the first only. */
  readonly rested: boolean;
}

/** A container and the network of Docker's own that it is on all the time. Measured networks' names begin with `m`. */
const VARIANTS = [
  {
    scenario: TAKEN_OVER,
    container: 'taken',
    base: { name: 'z-base', driver: 'bridge', subnet: '198.18.20.0/24', gateway: '198.18.20.1' },
  },
  {
    scenario: STAYS,
    container: 'kept',
    base: { name: 'a-base', driver: 'bridge', subnet: '198.18.21.0/24', gateway: '198.18.21.1' },
  },
] as const;
const SUBJECTS: readonly ConnectSubject[] = [true, false].flatMap(rested =>
  VARIANTS.flatMap(({ scenario, container }) =>
    DRIVER_CASES.map(one => ({
      ...{ container, one, rested },
      scenario: rested ? scenario : backToBack(scenario),
    })),
  ),
);
const WARM_UP = 2;

/** `network connect` and `network disconnect` of one running container, in turns. */
export const connect: Measure = {
  title: ({ rounds, connects }) =>
    `network connect and disconnect of a running container: ${rounds} rounds of ${connects} of each, in turns, ` +
    'the kernel given time to end each deletion, and back to back; `settled`: until it has, to 10 ms',
  headline: ['connect', 'disconnect'],

  async run(host, { rounds, connects }, progress) {
    await furnish(host);
    const settler = await Settler.of(
      host,
      VARIANTS.map(({ container }) => container),
    );
    const samples = new Samples(SUBJECTS, ['connect', 'disconnect', 'settled']);
    const own = new OwnCalls(SUBJECTS, () => host.tsnet.log());
    progress(0);
    for (const subject of SUBJECTS) await batch(host, settler, subject, WARM_UP);
    for (let round = 1; round <= rounds; round++) {
      progress(round);
      for (const subject of interleaved(SUBJECTS, round)) {
        const took = await own.during(subject, () => batch(host, settler, subject, connects));
        samples.add(subject, 'connect', round, ...took.connect);
        samples.add(subject, 'disconnect', round, ...took.disconnect);
        samples.add(subject, 'settled', round, ...took.settled);
      }
    }
    await clear(host);
    return { rows: samples.rows(), calls: own.rows(CONNECT_AND_DISCONNECT) };
  },
};

async function furnish(host: BenchHost): Promise<void> {
  for (const { base, container } of VARIANTS) {
    await host.createNetwork(base.name, base);
    await host.runIdle(container, base.name);
  }
  const reachable = VARIANTS[0].base.gateway;
  for (const one of DRIVER_CASES) await host.createNetwork(`m-${one.slug}`, networkBeside(one, reachable));
}

async function clear(host: BenchHost): Promise<void> {
  await host.tsnet.docker('rm', '-f', ...VARIANTS.map(({ container }) => container));
  for (const { slug } of DRIVER_CASES) await host.removeNetwork(`m-${slug}`);
  await host.expectClean();
}

/** Connects and disconnects `count` times, and waits until the kernel is as before, at least at the end. */
async function batch(host: BenchHost, settler: Settler, subject: ConnectSubject, count: number) {
  const { container, one, rested } = subject;
  const call = (what: string) =>
    host.call('POST', `/networks/m-${one.slug}/${what}`, 200, { Container: container });
  const took: Record<'connect' | 'disconnect' | 'settled', number[]> = {
    connect: [],
    disconnect: [],
    settled: [],
  };
  for (let k = 1; k <= count; k++) {
    took.connect.push(await call('connect'));
    took.disconnect.push(await call('disconnect'));
    if (rested || k === count) took.settled.push(await settler.settled());
  }
  return took;
}
