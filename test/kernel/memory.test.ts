import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cleanFileMappings, giveBackMemory } from '../../src/kernel/memory.ts';

const mapping = (head: string, anonymous: number) =>
  `${head}\nSize:                  8 kB\nRss:                   8 kB\nAnonymous:     ${anonymous} kB\nVmFlags: rd mr mw me sd\n`;

describe('what can be given back of the address space', () => {
  it.each([
    ['code', '00400000-00402000 r-xp 00000000 fe:00 12                         /usr/bin/a b', 0, 1],
    ['constants', '00400000-00402000 r--p 00000000 fe:00 12                    /usr/bin/a', 0, 1],
    ['what the linker has changed', '00400000-00402000 r--p 00000000 fe:00 12  /usr/bin/a', 4, 0],
    ['variables', '00400000-00402000 rw-p 00000000 fe:00 12                    /usr/bin/a', 0, 0],
    ['shared memory', '00400000-00402000 r--s 00000000 fe:00 12                /usr/bin/a', 0, 0],
    ['the heap', '00400000-00402000 rw-p 00000000 00:00 0                      [heap]', 0, 0],
    ['the vdso', '7ffd00400000-7ffd00402000 r-xp 00000000 00:00 0              [vdso]', 0, 0],
    ['memory of no file', '00400000-00402000 r--p 00000000 00:00 0', 0, 0],
  ])('%s', (_what, head, anonymous, count) => {
    const found = cleanFileMappings(mapping(head, anonymous));
    expect(found).toEqual(count === 0 ? [] : [{ start: 0x400000n, length: 0x2000n }]);
  });

  it('is given back, and comes again when it is needed', async () => {
    const resident = () => Number(/RssFile:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
    const before = resident();
    await giveBackMemory();
    expect(resident()).toBeLessThan(before);
    expect(cleanFileMappings(readFileSync('/proc/self/smaps', 'utf8')).length).toBeGreaterThan(5);
  });
});
