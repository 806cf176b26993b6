import { setTimeout } from 'node:timers/promises';

/** Waits until `condition` answers something truthy; fails after `deadline` milliseconds. */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadline = 5000,
): Promise<NonNullable<T>> {
  const end = performance.now() + deadline;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`not within ${deadline} ms: ${what}`);
    await setTimeout(5);
  }
}
