import { stripVTControlCharacters } from 'node:util';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** How many differing lines a failure is told with. */
const LINES = 4;

/**
 * Ends the run with `N passed, N failed, N skipped` alone on a line. Before it, where the end of a
 * log is all that somebody has: the reason for each skip, each test that needed a second try, and
 * what failed.
 */
export default class PlainSummary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    const skipped: string[] = [];
    const retried: string[] = [];
    const failed = errors.map(error => `failed: outside of any test: ${firstLine(error)}`);
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const result = test.result();
        count[result.state] += 1;
        if (result.state === 'skipped')
          skipped.push(`skipped: ${test.fullName}: ${result.note ?? 'no reason given'}`);
        else if (result.state === 'failed') failed.push(`failed: ${whereAndWhy(test)}`);
        else if (test.diagnostic()?.flaky) retried.push(`second try: ${whereAndWhy(test)}`);
      }
      // A file that could not be loaded, or whose hooks failed, has no test to count.
      const broken = [module, ...module.children.allSuites()].flatMap(part => part.errors());
      count.failed += broken.length;
      failed.push(...broken.map(error => `failed: ${module.relativeModuleId}: ${firstLine(error)}`));
    }
    for (const line of [...skipped, ...retried, ...failed]) console.log(line);
    // A test that never began is not a success.
    console.log(`${count.passed} passed, ${count.failed + count.pending} failed, ${count.skipped} skipped`);
  }
}

function whereAndWhy(test: TestCase): string {
  const [first] = test.result().errors ?? [];
  const why = first === undefined ? 'no error given' : `${firstLine(first)}${difference(first)}`;
  return `${test.module.relativeModuleId}: ${test.fullName}: ${why}`;
}

/** The first lines that a comparison found to differ, where there are more than the message says. */
function difference({ diff }: { diff?: string }): string {
  const lines = stripVTControlCharacters(diff ?? '').split('\n');
  const differing = lines.filter(line => /^[-+] (?!Expected$|Received$)/.test(line));
  if (differing.length === 0) return '';
  return ` (${differing
    .slice(0, LINES)
    .map(line => line.replace(/\s+/g, ' '))
    .join(' ')})`;
}

function firstLine(error: unknown): string {
  const { message } = error as { message?: unknown };
  return String(message ?? error).split('\n', 1)[0] ?? '';
}
