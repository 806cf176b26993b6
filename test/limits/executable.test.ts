import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';

const TSNET = join(import.meta.dirname, '../../dist/tsnet');
const PROBE = join(import.meta.dirname, 'fixtures/cache-probe.cjs');

it('runs code that was compiled when it was built', async () => {
  const { stderr } = await execa(TSNET, ['--version'], { env: { NODE_OPTIONS: `--require=${PROBE}` } });
  expect(stderr).toBe('cache of tsnet.cjs: accepted');
});
