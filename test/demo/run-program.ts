import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { labsDir, PREFIX, REPOSITORY, runMark } from '../lab/paths.ts';
import { waitFor } from '../lab/wait.ts';

let runs = 0;

/** A program of the project that makes labs, under a mark of its own. */
export function startProgram(file: string, ...args: string[]) {
  runs += 1;
  const mark = `${runMark()}d${process.pid}-${runs}-`;
  const child = execa(process.execPath, [join(REPOSITORY, file), ...args], {
    env: { TSNET_TEST_RUN: mark, NO_COLOR: '1' },
    stdin: 'ignore',
    all: true,
    reject: false,
  });
  /** The labs of this program that exist. */
  const labs = () => readdirSync(labsDir()).filter(name => name.startsWith(`${PREFIX}${mark}`));
  return {
    child,
    labs,
    /** Waits until no lab of the program is left; that of a killed program goes a moment after it. */
    gone: () => waitFor(() => labs().length === 0, { what: () => `${labs().join()} to go` }),
  };
}
