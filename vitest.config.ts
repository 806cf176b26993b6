import { defineConfig } from 'vitest/config';

/** Tests by what they need: see docs/architecture.md, "How it is tested". */
const shared = {
  // Native code (koffi) and namespaces belong to a process, not to a thread of one.
  pool: 'forks' as const,
  env: { UV_THREADPOOL_SIZE: '64' },
};
const NEEDS_ROOT = [
  'test/kernel/**',
  'test/lab/**',
  'test/engine/**',
  'test/store/**',
  'test/firewall/**',
  'test/demo/**',
  'test/limits/**',
  'test/plugin/**',
  'test/instance/**',
  'test/install/**',
  'test/engines/**',
  'test/examples/**',
  'test/swarm/**',
  'test/dist/**',
  'test/chaos/**',
  'test/security/**',
];

export default defineConfig({
  test: {
    ...shared,
    reporters: ['default', './test/support/plain-summary.ts'],
    globalSetup: ['./test/lab/global-setup.ts'],
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: NEEDS_ROOT,
          // A property tries a hundred cases, which a busy machine may take its time for.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'host',
          include: NEEDS_ROOT.map(folder => `${folder}/*.test.ts`),
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Throwaway hosts with an engine each: half of the time they wait, so that two cores carry three of them.
          maxWorkers: 3,
          // A busy machine may break a test's patience once; the summary names whom it broke.
          retry: process.env.CI ? 1 : 0,
        },
      },
    ],
  },
});
