import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addServe } from '../../src/cli/serve.ts';

/** Adds `tsnet serve` with an environment. @returns what is left of that */
function left(env: Record<string, string>): Record<string, string | undefined> {
  const rest: NodeJS.ProcessEnv = { ...env };
  addServe(new Command(), rest);
  return rest;
}

describe('settings in the environment', () => {
  it('stay when an option takes them', () => {
    const env = {
      TSNET_LOG_LEVEL: 'debug',
      TSNET_LOG_FORMAT: 'json',
      TSNET_DEADLINE: '7.5',
      TSNET_STATE: '/x',
      TSNET_ORPHAN_GRACE: 'never',
    };
    expect(left({ ...env, HOME: '/' })).toEqual({ ...env, HOME: '/' });
  });

  it.each([
    ['TSNET_LOG_LEVEL', 'loud'],
    ['TSNET_LOG_LEVEL', ''],
    ['TSNET_LOG_FORMAT', 'xml'],
    ['TSNET_DEADLINE', '30'],
    ['TSNET_DEADLINE', 'soon'],
    ['TSNET_ORPHAN_GRACE', '0'],
    ['TSNET_ORPHAN_GRACE', 'Infinity'],
    ['TSNET_ORPHAN_GRACE', 'x'],
    ['TSNET_STATE', ''],
    ['TSNET_SOCKET', ''],
  ])('are left aside when none does: %s=%s', (name, value) => {
    expect(left({ [name]: value, HOME: '/' })).toEqual({ HOME: '/' });
  });
});
