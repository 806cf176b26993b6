import { execa } from 'execa';
import { describe, expect, it } from 'vitest';

const module = (name: string): string =>
  JSON.stringify(new URL(`../../../src/kernel/ports/${name}.ts`, import.meta.url).pathname);

/** What a script prints in a process that may have so many files open. */
async function run(limit: number, script: string): Promise<string> {
  const args = [`--nofile=${limit}:${limit}`, process.execPath, '--input-type=module', '-e', script];
  return (await execa('prlimit', args, { timeout: 20_000 })).stdout;
}

describe('the descriptors of a process', () => {
  it.each([
    { limit: 400, least: 100 },
    { limit: 2000, least: 256 },
  ])('are left for its other work, of $limit', async ({ limit, least }) => {
    const [said, left, again] = (
      await run(
        limit,
        `
        import { closeSync, openSync } from 'node:fs';
        import { PortHolds } from ${module('port-holds')};
        const openAll = () => {
          const open = [];
          try { for (;;) open.push(openSync('/dev/null')); } catch {}
          for (const fd of open) closeSync(fd);
          return open.length;
        };
        const holds = new PortHolds();
        const hold = owner => holds.hold({ protocol: 'tcp', addresses: ['127.0.0.1', '::1'], port: 0, owner });
        try { for (let i = 0; ; i++) hold('a' + i); } catch (error) { console.log(error.message); }
        console.log(openAll());
        for (const each of holds.list().slice(0, 2)) await holds.delete(each);
        console.log(hold('b').length);
        process.exit();`,
      )
    ).split('\n');
    expect(said).toMatch(
      new RegExp(
        `^DESCRIPTORS_EXHAUSTED: port \\S+/tcp cannot be held: it takes a file, of which tsnet may have ${limit} open\\. Raise LimitNOFILE=`,
      ),
    );
    expect(Number(left)).toBeGreaterThanOrEqual(least);
    expect(Number(left)).toBeLessThan(least + 10);
    expect(again).toBe('2');
  });

  it('are said to be as many as the process may have', async () => {
    const script = `import { mostDescriptors } from ${module('descriptors')}; console.log(mostDescriptors());`;
    expect(await run(777, script)).toBe('777');
  });
});
