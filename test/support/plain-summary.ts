import type { Reporter, TestModule } from 'vitest/node';

/** Ends the run with `N passed, N failed, N skipped` alone on a line, after the reason for each skip. */
export default class PlainSummary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) {
        const result = test.result();
        count[result.state] += 1;
        if (result.state === 'skipped')
          console.log(`skipped: ${test.fullName}: ${result.note ?? 'no reason given'}`);
      }
      // A file that could not be loaded, or whose hooks failed, has no test to count.
      const brokenHooks =
        module.errors().length + [...module.children.allSuites()].flatMap(s => s.errors()).length;
      count.failed += brokenHooks;
    }
    // A test that never began is not a success.
    console.log(`${count.passed} passed, ${count.failed + count.pending} failed, ${count.skipped} skipped`);
  }
}
