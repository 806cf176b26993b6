import { expect, it } from 'vitest';
import { Heard } from '../../src/orphans/heard.ts';

const setUp = () => {
  let now = 1000;
  const heard = new Heard(() => now);
  const pass = (ms: number) => {
    now += ms;
  };
  return { heard, pass };
};

it('knows nothing of what nobody has spoken of', () => {
  expect(setUp().heard.silence('network a')).toBeUndefined();
});

it('counts the silence from the end of the last call', async () => {
  const { heard, pass } = setUp();
  const { promise, resolve } = Promise.withResolvers<string>();
  const call = heard.during(['network a', 'endpoint b'], () => promise);
  pass(50);
  expect(heard.silence('network a')).toBe(0);
  resolve('answer');
  expect(await call).toBe('answer');
  pass(70);
  expect(heard.silence('network a')).toBe(70);
  expect(heard.silence('endpoint b')).toBe(70);
  expect(heard.silence('endpoint c')).toBeUndefined();
});

it('takes a thing for spoken of while one of several calls is under way, and after calls that fail', async () => {
  const { heard, pass } = setUp();
  const { promise, reject } = Promise.withResolvers<void>();
  const long = heard.during(['network a'], () => promise);
  await heard.during(['network a'], async () => undefined);
  pass(10);
  expect(heard.silence('network a')).toBe(0);
  reject(new Error('no'));
  await expect(long).rejects.toThrow('no');
  pass(10);
  expect(heard.silence('network a')).toBe(10);
});

it('begins a call at once: nothing else runs between', () => {
  const { heard } = setUp();
  let begun = false;
  void heard.during([], async () => {
    begun = true;
  });
  expect(begun).toBe(true);
});

it('does not grow for ever, and forgets nothing of the last minutes', () => {
  const { heard, pass } = setUp();
  for (let k = 0; k < 5000; k++) heard.mark(`old ${k}`);
  expect(heard.silence('old 0')).toBe(0);
  pass(600_001);
  heard.mark('new');
  expect(heard.silence('old 0')).toBeUndefined();
  expect(heard.silence('new')).toBe(0);
});
