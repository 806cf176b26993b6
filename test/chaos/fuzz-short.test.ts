import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { Campaign } from '../../chaos/fuzz/campaign.ts';
import { FakeTarget } from '../../chaos/fuzz/fake-target.ts';
import { isClean, type Report, render } from '../../chaos/fuzz/report.ts';

const FUZZ = join(import.meta.dirname, '../../chaos/fuzz/fuzz.ts');

async function fuzz(requests: number, seed: number): Promise<Report> {
  await using target = await FakeTarget.open();
  // Awaited here: what is returned is waited for when the target is gone.
  return await new Campaign(target, { requests, seed }).run();
}

describe('generated requests', () => {
  it('find no crash, no hang and no difference in the app', async () => {
    const report = await fuzz(4_000, 7);
    expect(isClean(report), render(report)).toBe(true);
    // Neither all refused nor all done, and most methods and codes come up, or it would prove little.
    expect(report.done).toBeGreaterThan(1_000);
    expect(report.compared).toBeGreaterThan(1_000);
    expect(report.methods.size).toBeGreaterThan(15);
    expect(report.refused.size).toBeGreaterThan(12);
  });

  it('are the same for the same seed', async () => {
    const [one, two] = [await fuzz(200, 3), await fuzz(200, 3)];
    expect(one.done).toBeGreaterThan(50);
    expect([...two.methods]).toEqual([...one.methods]);
    expect([...two.refused]).toEqual([...one.refused]);
  });

  it('find none in the daemon on the kernel either', async () => {
    const { stdout, exitCode } = await execa(
      process.execPath,
      [FUZZ, '--real', '--requests', '400', '--seed', '7', '--quiet'],
      { reject: false, stderr: 'inherit' },
    );
    expect(stdout).toMatch(/state differences {2}0\nother defects {6}0$/);
    expect(exitCode).toBe(0);
  });
});
