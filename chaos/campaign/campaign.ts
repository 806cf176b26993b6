import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { processFaults } from '../faults/processes.ts';
import { logEnds } from '../judge/rules/engine-log.ts';
import { Random } from '../random.ts';
import { dump } from '../report/dump.ts';
import type { CampaignReport } from '../report/report.ts';
import { Tally } from '../report/tally.ts';
import { History } from './history.ts';
import type { CampaignOptions } from './options.ts';
import { planFaults } from './plan-faults.ts';
import { Round } from './round.ts';
import { settle } from './settle.ts';
import { Stage } from './stage.ts';
import { Trouble } from './trouble.ts';

/** Rounds without a fault, in which a host gets its first networks and containers. */
const QUIET = 2;

/**
 * Runs rounds until the time is up or a promise was not kept.
 * @param tell is told of each round, in a line
 */
export async function campaign(
  options: CampaignOptions,
  tell: (line: string) => void,
): Promise<CampaignReport> {
  const name = `${options.engine}-${options.seed}`;
  await mkdir(options.output, { recursive: true });
  const history = new History(join(options.output, `${name}.log`));
  const [random, trouble, tally] = [new Random(options.seed), new Trouble(), new Tally()];
  const kinds = new Set(options.faults);
  const deadline = Date.now() + options.minutes * 60_000;
  const isOver = () => Date.now() > deadline || tally.rounds >= options.rounds;
  do {
    await using stage = await Stage.create(options);
    let isSound = true;
    while (isSound && !isOver()) {
      const round = new Round(stage, trouble, history);
      trouble.beginRound();
      const judged = logEnds(stage);
      history.note(`round ${tally.rounds + 1}, seed ${options.seed}`);
      const faults = tally.rounds < QUIET ? [] : planFaults(random, processFaults(stage), kinds);
      const { operations, workers, containers } = options;
      await round.run({ operations, workers, containers, faults, seed: random.below(2 ** 31) });
      const { violations: found, ms } = await settle(stage, { trouble, judged, history });
      const violations = [...round.violations, ...found];
      tally.round(ms, violations);
      tell(
        line(
          tally.rounds,
          faults.map(({ fault }) => fault.kind),
          ms,
          violations.length,
        ),
      );
      if (violations.length > 0) {
        for (const { rule, subject, detail } of violations) tell(`  ${rule}: ${subject}: ${detail}`);
        const file = join(options.output, `${name}-round-${tally.rounds}.txt`);
        await dump(file, stage, options, history, violations);
        tell(`  the host's state: ${file}`);
        isSound = false;
      }
    }
    tally.stage(stage);
  } while (options.keepGoing && !isOver());
  return { options, tally, struck: trouble.struck, operations: history.counts };
}

const line = (round: number, faults: readonly string[], ms: number, violations: number): string =>
  `round ${round}: ${faults.length === 0 ? 'no fault' : faults.join(', ')}; settled in ${Math.round(ms)} ms; ${violations} violations`;
