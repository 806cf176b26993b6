import { describe, expect, it } from 'vitest';
import { orphanPool } from '../../src/orphans/orphan.ts';
import { Suspicions } from '../../src/orphans/suspicions.ts';

const GRACE = 2000;
const POOL = orphanPool({ id: 'p', space: 's', pool: '198.18.0.0/24', cursor: '0', epoch: 1 });
const OTHER = orphanPool({ id: 'q', space: 's', pool: '198.18.1.0/24', cursor: '0', epoch: 1 });
const make = () => new Suspicions({ silence: () => 10_000 }, GRACE);

describe('the time until something is due', () => {
  it('is what is left of the grace, also where a timer fired a moment early', () => {
    const suspicions = make();
    suspicions.observe([POOL], 100);
    expect(suspicions.wait(100)).toBe(GRACE);
    const early = 100 + GRACE - 0.3;
    suspicions.observe([POOL], early);
    expect(suspicions.due(early)).toEqual([]);
    expect(suspicions.wait(early)).toBeCloseTo(0.3);
  });

  it('is that of the next one, where one is overdue that could not be removed', () => {
    const suspicions = make();
    suspicions.observe([POOL], 100);
    suspicions.observe([POOL, OTHER], 100 + GRACE);
    expect(suspicions.due(100 + GRACE)).toEqual([POOL]);
    expect(suspicions.wait(100 + GRACE)).toBe(GRACE);
    expect(suspicions.wait(100 + 2 * GRACE)).toBe(Infinity);
  });
});
