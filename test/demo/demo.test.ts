import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ENGINES } from '../engine/support/tsnet-host.ts';
import { startProgram } from './run-program.ts';

describe.each(ENGINES)('the demo, engine %s', engine => {
  it('shows that all is as promised, and leaves nothing', async () => {
    const { child, labs } = startProgram('scripts/demo/demo.ts', '--engine', engine);
    const { all, exitCode } = await child;
    expect(exitCode, all).toBe(0);
    expect(labs()).toEqual([]);
    expect(all).toContain('$ docker network create -d tsnet web\n');
    expect(all).toMatch(/lan1 runs at 198\.18\.0\.192 {2}\d+ ms/);
    // the highlight: the host does not reach Docker's macvlan container, and does reach tsnet's
    expect(all).toMatch(/│ its own host +│ - +│ yes +│/);
    expect(all).toMatch(/│ the LAN +│ yes +│ yes +│/);
    expect(all).toMatch(/│ host +│ tss\w+ +│ macvlan │ the host's door/);
    expect(all).toMatch(/│ the host +│ \[::1\]:8080 +│ shop +│/);
    expect(all).toMatch(/│ LAN peer +│ 198\.18\.0\.\d+:80, its own address │ lamp +│/);
    expect(all).toMatch(/ {2}shop +web +0\.0\.0\.0:8080 +\S+:80 +tcp/);
    expect(all).toMatch(/repaired: the host reaches lan1 again after \d+ ms/);
    expect(all).toMatch(/6 containers are back/);
    expect(all).toContain('Links and routes of tsnet left on the host: 0');
    // no terminal: no control characters
    expect(all).not.toContain('\x1b');
  });
});

it.each(['SIGINT', 'SIGTERM'] as const)('the demo is gone after %s', async signal => {
  const { child, labs, gone } = startProgram('scripts/demo/demo.ts');
  const out = child.stdout;
  let said = '';
  while (!said.includes('web1 runs at')) {
    const [chunk] = await once(out, 'data');
    said += String(chunk);
  }
  expect(labs()).toHaveLength(1);
  child.kill(signal);
  const { exitCode, all } = await child;
  expect(exitCode, all).toBe(signal === 'SIGINT' ? 130 : 143);
  expect(all).toContain(`ended by ${signal}`);
  await gone();
});
