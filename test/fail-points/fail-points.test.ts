import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { armed, COUNTDOWN, PASSED } from '../../src/fail-points.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fail-points-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const arm = (count: number) => writeFileSync(join(directory, COUNTDOWN), String(count));
const passed = () => readFileSync(join(directory, PASSED), 'utf8');

describe('armed', () => {
  it('dies at the point that the countdown ends at, and at no other', () => {
    let deaths = 0;
    const failPoint = armed(directory, () => {
      deaths += 1;
    });
    arm(2);
    failPoint('commit');
    expect(deaths).toBe(0);
    failPoint('answer', 'NetworkDriver.Join');
    expect(deaths).toBe(1);
    failPoint('answered', 'NetworkDriver.Join');
    expect(deaths).toBe(1);
    expect(passed()).toBe('commit\nanswer NetworkDriver.Join\nanswered NetworkDriver.Join\n');
  });

  it('passes all, and tells of them by their first lines, at a countdown of 0', () => {
    const failPoint = armed(directory, () => expect.unreachable());
    arm(0);
    failPoint('nftables', '\nadd table a\nadd chain b\n');
    failPoint('netlink', 'RTM_NEWLINK tsb1');
    expect(passed()).toBe('nftables add table a\nnetlink RTM_NEWLINK tsb1\n');
  });

  it('does nothing without a countdown', () => {
    armed(directory, () => expect.unreachable())('commit');
    expect(existsSync(join(directory, PASSED))).toBe(false);
  });
});

describe('failPoint', () => {
  const URL = pathToFileURL(join(import.meta.dirname, '../../src/fail-points.ts')).href;
  const run = (env: Record<string, string>) =>
    execa(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { failPoint } from '${URL}';
         failPoint('commit'); process.stdout.write('one '); failPoint('commit'); process.stdout.write('two');`,
      ],
      { env, reject: false },
    );

  it('ends the process at once, as kill -9 does', async () => {
    arm(2);
    const { signal, stdout } = await run({ TSNET_FAIL_POINTS: directory });
    expect({ signal, stdout }).toEqual({ signal: 'SIGKILL', stdout: 'one ' });
  });

  it.each([{ TSNET_FAIL_POINTS: '' }, {}])('does nothing unless it is asked to: %j', async env => {
    arm(2);
    const { exitCode, stdout } = await run(env);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'one two' });
    expect(existsSync(join(directory, PASSED))).toBe(false);
  });
});
