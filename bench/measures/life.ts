import type { BenchHost } from '../bench-host.ts';
import { BUILTIN_BRIDGE, type Case, isTsnet, LIFE_CASES } from '../cases.ts';
import { OwnCalls } from '../own-calls.ts';
import { interleaved, type Plan } from '../plan.ts';
import { Samples, type Subject } from '../samples.ts';
import { published } from '../scenarios.ts';
import { Settler } from '../settle.ts';
import { ContainerLife, type Life, STEPS } from './container-life.ts';
import type { Measure } from './measure.ts';
import { expectReached } from './reached.ts';

interface LifeSubject extends Subject {
  readonly ports: number;
}

/** More are for tsnet alone: the builtin would take more than a minute for a thousand. */
const BUILTIN_PORTS = 200;

/** Create, start, stop and remove of a container that does nothing, by the number of ports that it publishes. */
export const life: Measure = {
  title: ({ rounds, lives }) =>
    `life of an idle container, create + start + stop + remove: ${rounds} rounds of ${lives} of each ` +
    '(builtin with 50 ports or more at most two, with 200 one); all ports are first shown to be reached from the LAN',
  headline: ['life'],

  async run(host, plan, progress) {
    const cases = LIFE_CASES.filter(({ network }) => network !== undefined);
    for (const { slug, network } of cases) if (network) await host.createNetwork(`m-${slug}`, network);
    await host.runIdle('idle', 'none');
    const settler = await Settler.of(host, ['idle']);
    const subjects = subjectsOf(plan.ports);
    const samples = new Samples(subjects, ['life', ...STEPS]);
    const own = new OwnCalls(subjects, () => host.tsnet.log());
    progress(0);
    await warmUp(host, settler, subjects);
    for (let round = 1; round <= plan.rounds; round++) {
      progress(round);
      for (let k = 0; k < plan.lives; k++) {
        for (const subject of interleaved(subjects, round * plan.lives + k)) {
          if (k >= livesARound(subject, plan)) continue;
          const { one, ports } = subject;
          const container = new ContainerLife(host, networkOf(one), ports);
          const took = await own.during(subject, () => container.live());
          samples.add(subject, 'life', round, total(took));
          for (const step of STEPS) samples.add(subject, step, round, took[step]);
          // What the kernel still has to do for one is no cost of the next.
          await settler.settled();
        }
      }
    }
    for (const { slug } of cases) await host.removeNetwork(`m-${slug}`);
    await host.expectClean();
    return { rows: samples.rows(), calls: own.rows('a life') };
  },
};

/** By ports first, so that what is compared is next to each other. Of Docker's own only the bridge publishes. */
function subjectsOf(counts: readonly number[]): LifeSubject[] {
  return counts.flatMap(ports =>
    LIFE_CASES.filter(
      one => ports === 0 || isTsnet(one) || (one === BUILTIN_BRIDGE && ports <= BUILTIN_PORTS),
    ).map(one => ({ scenario: published(ports), one, ports })),
  );
}

function livesARound({ one, ports }: LifeSubject, { lives }: Plan): number {
  if (one !== BUILTIN_BRIDGE || ports < 50) return lives;
  return ports < BUILTIN_PORTS ? Math.min(lives, 2) : 1;
}

/** Two lives of each case, the first of them with all of its ports. */
async function warmUp(host: BenchHost, settler: Settler, subjects: readonly LifeSubject[]): Promise<void> {
  for (const one of LIFE_CASES) {
    const most = Math.max(0, ...subjects.filter(subject => subject.one === one).map(({ ports }) => ports));
    await expectReached(host, one, networkOf(one), most);
    await new ContainerLife(host, networkOf(one), 0).live();
    await settler.settled();
  }
}

const networkOf = ({ slug, network }: Case): string => (network === undefined ? 'none' : `m-${slug}`);
const total = (life: Life): number => STEPS.reduce((sum, step) => sum + life[step], 0);
