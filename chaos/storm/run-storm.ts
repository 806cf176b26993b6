import { daemonOf, store } from '../../test/engine/support/host-view.ts';
import { wipe } from '../../test/engine/support/macvlan-lab.ts';
import type { Generation } from '../../test/lab/engines.ts';
import { atOnce } from './at-once.ts';
import { type LogSummary, summariseLog } from './log-summary.ts';
import type { StormPlan } from './options.ts';
import { type Member, StormHost } from './storm-host.ts';
import { atRest, forgetPeak, type Usage, usageOf } from './usage.ts';

export interface Round {
  readonly number: number;
  /** Seconds until all were there, until all were gone. */
  readonly up: number;
  readonly down: number;
  /** Of the daemon, once all have gone. */
  readonly usage: Usage;
  /** Of the daemon after some time without a call, in rounds in which that was waited for. */
  readonly rested?: Usage;
  /** What has failed, in words. */
  readonly errors: readonly string[];
}

export interface StormOutcome {
  readonly engine: string;
  readonly plan: StormPlan;
  readonly rounds: readonly Round[];
  /** What is left after the last container and the last network, in words. */
  readonly left: readonly string[];
  readonly log: LogSummary;
}

/** The first port of the host that is published. */
const FIRST_PORT = 20_000;

/** Containers by turns on the bridge and on the macvlan network; of each four the first two have a published port. */
const membersOf = (number: number): Member[] =>
  Array.from({ length: number }, (_, k) => ({
    name: `storm-${k}`,
    network: k % 2 === 0 ? 'web' : 'lan',
    port: k % 4 < 2 ? FIRST_PORT + k : undefined,
  }));

/**
 * Has all containers of a plan come and go, round after round, on a throwaway host; nothing of it is left.
 * @param progress told each round as it has ended
 */
export async function runStorm(
  engine: Generation,
  plan: StormPlan,
  progress: (round: Round) => void,
): Promise<StormOutcome> {
  await using host = await StormHost.boot(engine);
  const members = membersOf(plan.containers);
  const rounds: Round[] = [];
  for (let number = 1; number <= plan.rounds; number++) {
    const round = await runRound(host, members, plan, number);
    progress(round);
    rounds.push(round);
  }
  const left = await leftOver(host);
  const log = summariseLog(host.tsnet.log());
  return { engine: host.tsnet.host.engine.version, plan, rounds, left, log };
}

async function runRound(
  host: StormHost,
  members: readonly Member[],
  { atOnce: limit, restEvery }: StormPlan,
  number: number,
): Promise<Round> {
  const pid = daemonOf(host.tsnet);
  forgetPeak(pid);
  const errors: string[] = [];
  const all = async (action: (member: Member) => Promise<void>): Promise<number> => {
    const start = performance.now();
    const tries = (member: Member) => action(member).catch(error => void errors.push(words(error)));
    await atOnce(limit, members, tries);
    return (performance.now() - start) / 1000;
  };
  const up = await all(member => host.up(member));
  errors.push(...(await host.deaf(members)));
  const down = await all(member => host.down(member));
  errors.push(...(await host.violations()));
  const usage = usageOf(pid);
  const rests = restEvery > 0 && number % restEvery === 0;
  return {
    number,
    up,
    down,
    usage,
    ...(rests ? { rested: await atRest(pid, () => host.tsnet.log()) } : {}),
    errors,
  };
}

/** Removes what there is. @returns what stays of it: in the kernel and in the store */
async function leftOver(host: StormHost): Promise<string[]> {
  const left: string[] = [];
  await wipe(host.tsnet).catch(error => void left.push(words(error)));
  const { networks, endpoints, pools, leases } = await store(host.tsnet);
  for (const [what, rows] of Object.entries({ networks, endpoints, pools, leases })) {
    if (rows.length > 0) left.push(`${rows.length} ${what} in the store: ${JSON.stringify(rows[0])}`);
  }
  return left;
}

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));
