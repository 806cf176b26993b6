/**
 * Removes a lab when its creator is gone, however that came about: this process reads from a pipe that only the
 * creator holds open, so the end of the input is the end of the creator. Run as `node guard.ts DIRECTORY`.
 */
import { existsSync } from 'node:fs';
import { removeLab } from './remove.ts';

const [dir = ''] = process.argv.slice(2);
// the terminal's Ctrl-C is for the creator; the guard outlives it by a moment
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined);
for await (const _ of process.stdin);
if (existsSync(dir)) await removeLab(dir);
