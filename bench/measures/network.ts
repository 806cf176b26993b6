import type { BenchHost } from '../bench-host.ts';
import { type Case, DRIVER_CASES } from '../cases.ts';
import { OwnCalls } from '../own-calls.ts';
import { interleaved } from '../plan.ts';
import { Samples, type Subject } from '../samples.ts';
import { EMPTY } from '../scenarios.ts';
import { Settler } from '../settle.ts';
import { networkBeside } from './gateway.ts';
import type { Measure } from './measure.ts';

const SUBJECTS: readonly Subject[] = DRIVER_CASES.map(one => ({ scenario: EMPTY, one }));
const BASE = { driver: 'bridge', subnet: '198.18.20.0/24', gateway: '198.18.20.1' };

/** `network create` and `network rm`. */
export const network: Measure = {
  title: ({ rounds, networks }) =>
    `network create and delete: ${rounds} rounds of ${networks} of each, the kernel given time to end each deletion: ` +
    '`settled`, to 10 ms',
  headline: ['create', 'delete'],

  async run(host, { rounds, networks }, progress) {
    await host.createNetwork('base', BASE);
    await host.runIdle('idle', 'base');
    const settler = await Settler.of(host, ['idle']);
    const samples = new Samples(SUBJECTS, ['create', 'delete', 'settled']);
    const own = new OwnCalls(SUBJECTS, () => host.tsnet.log());
    progress(0);
    for (const { one } of SUBJECTS) await comeAndGo(host, settler, one);
    for (let round = 1; round <= rounds; round++) {
      progress(round);
      for (let k = 0; k < networks; k++) {
        for (const subject of interleaved(SUBJECTS, round + k)) {
          const took = await own.during(subject, () => comeAndGo(host, settler, subject.one));
          for (const [operation, ms] of Object.entries(took)) samples.add(subject, operation, round, ms);
        }
      }
    }
    await host.expectClean();
    return { rows: samples.rows(), calls: own.rows() };
  },
};

async function comeAndGo(host: BenchHost, settler: Settler, one: Case) {
  const name = `m-${one.slug}`;
  const create = await host.createNetwork(name, networkBeside(one, BASE.gateway));
  return { create, delete: await host.removeNetwork(name), settled: await settler.settled() };
}
