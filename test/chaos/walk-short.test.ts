import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OPERATIONS } from '../../chaos/walk/operations.ts';
import { violationsIn } from '../../chaos/walk/report.ts';
import { walkAll } from '../../chaos/walk/walk-all.ts';
import { ENGINES, TSNET } from '../engine/support/tsnet-host.ts';

/*
 * The short form of `node chaos/walk/walk.ts`: some of the points of a container's start and end, on its way from CreateEndpoint to Join
 * and back. That the judge finds what is wrong is shown in its own tests.
 */
describe.each(ENGINES)('tsnet that dies at its fail points, engine %s', engine => {
  it.each([
    ['run, bridge', 4, 8],
    ['rm -f, bridge', 3, 9],
  ])('leaves nothing of "%s" undone, and lets it be asked for again', async (name, from, step) => {
    const said: string[] = [];
    const { operations } = await walkAll({
      engine,
      program: TSNET,
      operations: OPERATIONS.filter(operation => operation.name === name),
      from,
      step,
      dump: join(tmpdir(), 'tsnet-walk'),
      say: line => said.push(line),
    });
    expect(operations.map(violationsIn), said.join('\n')).toEqual([0]);

    const results = operations.flatMap(({ points }) => points);
    // It died at each of them but the last, which the operation does not have: so each is another one.
    expect(results.length).toBeGreaterThan(2);
    expect(results.slice(0, -1).every(({ point }) => point !== undefined)).toBe(true);
    const last = results.at(-1);
    expect({ point: last?.point, refused: last?.refused }).toEqual({ point: undefined, refused: undefined });
    // Store, kernel, firewall and answers: each way out of the process has its points.
    const kinds = new Set(last?.passed.map(point => point.split(' ')[0]));
    expect([...kinds].sort()).toEqual(
      expect.arrayContaining(['answer', 'answered', 'commit', 'netlink', 'nftables']),
    );
  });
});
