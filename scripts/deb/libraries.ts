/** Sets of symbol versions that the pinned Node asks for, and the Debian package that has each. */
const PACKAGES = {
  GLIBC: { package: 'libc6' },
  // GLIBCXX_3.4.N came with GCC 5 and N of 21, and so on (gcc.gnu.org/onlinedocs/libstdc++/manual/abi.html).
  GLIBCXX: {
    package: 'libstdc++6',
    gcc: { 21: '5', 22: '6', 24: '7', 25: '8', 26: '9', 28: '9.3', 29: '11', 30: '12' },
  },
} as const;

/**
 * The libraries that an executable needs, as Debian's Depends names them, with the least version that has all symbols.
 * @param executable its bytes; versions are names in the dynamic string table, between zero bytes
 * @throws Error for versions of libstdc++ that are newer than those known here
 */
export function librariesOf(executable: Buffer): string[] {
  const { GLIBC, GLIBCXX } = PACKAGES;
  const libc = highest(executable, /\0GLIBC_2\.(\d+)(?=\0|\.\d+\0)/g);
  const stdcxx = highest(executable, /\0GLIBCXX_3\.4\.(\d+)(?=\0)/g);
  const known = Object.entries(GLIBCXX.gcc).find(([minor]) => Number(minor) >= stdcxx);
  if (known === undefined) throw new Error(`deb: which GCC has GLIBCXX_3.4.${stdcxx}?`);
  return [`${GLIBC.package} (>= 2.${libc})`, 'libgcc-s1', `${GLIBCXX.package} (>= ${known[1]})`];
}

function highest(bytes: Buffer, pattern: RegExp): number {
  const minors = [...bytes.toString('latin1').matchAll(pattern)].map(([, minor]) => Number(minor));
  return Math.max(0, ...minors);
}
