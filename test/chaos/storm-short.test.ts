import { describe, expect, it } from 'vitest';
import { stormText } from '../../chaos/storm/report.ts';
import { runStorm } from '../../chaos/storm/run-storm.ts';
import { faultsOf } from '../../chaos/storm/verdict.ts';
import { ENGINES } from '../engine/support/tsnet-host.ts';

/** The full form is `node chaos/storm/storm.ts`: whether the daemon grows takes more rounds to tell. */
const SHORT = { containers: 12, rounds: 3, atOnce: 10, restEvery: 0 };

describe.each(ENGINES)('a storm of containers, engine %s', engine => {
  it('fails nobody, leaves nothing, and costs no descriptors', { timeout: 240_000 }, async () => {
    const outcome = await runStorm(engine, SHORT, () => undefined);
    expect(outcome.rounds).toHaveLength(SHORT.rounds);
    // CreateEndpoint, Join, Leave, DeleteEndpoint at the least.
    expect(outcome.log.calls).toBeGreaterThan(SHORT.containers * SHORT.rounds * 4);
    expect(faultsOf(outcome), stormText(outcome)).toEqual([]);
  });
});
