import { expect, it } from 'vitest';
import { within } from '../../src/kernel/deadline.ts';

const late = () => new Error('late');

it('answers what the work answers', async () => {
  await expect(within(Promise.resolve(undefined), 1000, late)).resolves.toBeUndefined();
  await expect(within(Promise.resolve('late'), 1000, late)).resolves.toBe('late');
});

it('fails as the work fails', async () => {
  await expect(within(Promise.reject(new Error('broken')), 1000, late)).rejects.toThrow('broken');
});

it('gives up work that does not end, whose later failure disturbs nobody', async () => {
  let fail: (error: Error) => void = () => {};
  const work = new Promise<never>((_, reject) => {
    fail = reject;
  });
  await expect(within(work, 1, late)).rejects.toThrow('late');
  fail(new Error('much later'));
  await expect(work).rejects.toThrow('much later');
});
