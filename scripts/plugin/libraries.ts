import { execa } from 'execa';

/**
 * The shared libraries that a program loads when it starts, and those that it opens later with all that they load: the
 * very paths that the dynamic linker goes by, and the linker itself. Asked of the linker as ldd(1) does; nothing is run.
 * @param program absolute path
 * @param opened absolute paths
 * @throws Error when one of them is not on this machine
 */
export async function librariesOf(program: string, opened: readonly string[] = []): Promise<string[]> {
  const env = { LD_TRACE_LOADED_OBJECTS: '1', LD_PRELOAD: opened.join(':') };
  const { stdout } = await execa(program, [], { env });
  return [...new Set(stdout.split('\n').flatMap(librariesIn))].sort();
}

/** Pure; see librariesOf(). @param line `libm.so.6 => /lib/libm.so.6 (0x7f)`, `/lib64/ld.so (0x7f)` or another */
export function librariesIn(line: string): string[] {
  const [, absent] = /^\s*(\S+) => not found/.exec(line) ?? [];
  if (absent !== undefined) throw new Error(`plugin: ${absent} is not on this machine`);
  const [, path] = /^\s+(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)$/.exec(line) ?? [];
  return path === undefined ? [] : [path];
}
