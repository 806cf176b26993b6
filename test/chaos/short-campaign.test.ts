import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { campaign } from '../../chaos/campaign/campaign.ts';
import { KINDS } from '../../chaos/campaign/plan-faults.ts';
import { reportText } from '../../chaos/report/report.ts';
import { ENGINES, TSNET } from '../engine/support/tsnet-host.ts';

const ROUNDS = 7;
/** Rounds that take their time are left to `make chaos`. */
const QUICK = [
  'kill-tsnet',
  'die-at-step',
  'kill-engine',
  'kill-engine-and-tsnet',
  'power-loss',
  'bridge-deleted',
  'nft-table-deleted',
];

describe('a short campaign', () => {
  let output: string;

  beforeAll(async () => {
    output = await mkdtemp(join(tmpdir(), 'tsnet-campaign-'));
  });
  afterAll(() => rm(output, { recursive: true, force: true }));

  it.each(ENGINES)(
    'keeps every promise, engine %s',
    async engine => {
      expect(KINDS).toEqual(expect.arrayContaining(QUICK));
      const lines: string[] = [];
      const options = {
        operations: 10,
        workers: 4,
        containers: 8,
        minutes: 8,
        bootTimes: false,
        keepGoing: false,
      };
      const report = await campaign(
        { ...options, engine, seed: 11, rounds: ROUNDS, faults: QUICK, program: TSNET, output },
        line => lines.push(line),
      );
      expect(report.tally.violations, lines.join('\n')).toEqual([]);
      expect(report.tally.rounds).toBe(ROUNDS);
      // It did something, and something was done to it.
      const done = [...report.operations.values()].reduce((sum, { done }) => sum + done, 0);
      expect(done).toBeGreaterThan(5 * ROUNDS);
      expect(report.struck.size).toBeGreaterThan(1);
      const history = await readFile(join(output, `${engine}-11.log`), 'utf8');
      expect(history.match(/strike: /g)).toHaveLength(
        [...report.struck.values()].reduce((sum, n) => sum + n, 0),
      );
      expect(reportText(report)).toContain('longest recovery');
    },
    600_000,
  );
});
