import { describe, expect, it } from 'vitest';
import { librariesIn } from '../../scripts/plugin/libraries.ts';

describe('what ldd says', () => {
  it.each([
    [
      '\tlibmnl.so.0 => /lib/x86_64-linux-gnu/libmnl.so.0 (0x00007f06a8fbe000)',
      ['/lib/x86_64-linux-gnu/libmnl.so.0'],
    ],
    ['\t/lib/ld-linux-aarch64.so.1 (0x0000ffff8c6d0000)', ['/lib/ld-linux-aarch64.so.1']],
    ['\tlinux-vdso.so.1 (0x00007f06a90b1000)', []],
    ['\tstatically linked', []],
    ['/usr/sbin/xtables-legacy-multi:', []],
    ['', []],
  ])('%j', (line, paths) => {
    expect(librariesIn(line)).toEqual(paths);
  });

  it('is an error when a library is missing', () => {
    expect(() => librariesIn('\tlibjansson.so.4 => not found')).toThrow(
      'libjansson.so.4 is not on this machine',
    );
  });
});
