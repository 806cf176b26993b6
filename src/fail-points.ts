import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What tsnet is about to do at a point, something that outlives its process each time: commit to the store, rename a file of it, ask the
 * kernel for a change through one of the ways into it, hand an answer over; and that it has handed one over. Between two points
 * nothing lasting happens, so that a death at each of them is every death there is.
 */
export type Seam =
  | 'commit'
  | 'rename'
  | 'netlink'
  | 'nftables'
  | 'iptables'
  | 'sysctl'
  | 'answer'
  | 'answered';

/** @param what the thing itself, of which the first line is told */
export type FailPoint = (seam: Seam, what?: string) => void;

/** A file in the directory: at how many more points tsnet passes, the last of which it dies at; 0: it passes all. */
export const COUNTDOWN = 'countdown';
/** A file in the directory: the points that were passed or died at, one a line. */
export const PASSED = 'passed';

/**
 * Points that whoever writes the countdown can have the process die at. While that file is missing nothing is told of.
 * @param directory absolute
 * @param die does not return
 */
export function armed(directory: string, die: () => void): FailPoint {
  const countdown = join(directory, COUNTDOWN);
  const passed = join(directory, PASSED);
  return (seam, what = '') => {
    if (!existsSync(countdown)) return;
    const left = Number(readFileSync(countdown, 'utf8'));
    appendFileSync(passed, `${seam} ${what.trim().split('\n')[0]}`.trimEnd().concat('\n'));
    if (left > 0) writeFileSync(countdown, String(left - 1));
    if (left === 1) die();
  };
}

const directory = process.env['TSNET_FAIL_POINTS'];

/**
 * Stands wherever tsnet is about to do something lasting. Does nothing, and costs nothing, unless the process was started with
 * TSNET_FAIL_POINTS, a directory, for chaos/walk: then it can be made to end there as by `kill -9`.
 */
export const failPoint: FailPoint =
  directory === undefined || directory === ''
    ? () => undefined
    : armed(directory, () => process.kill(process.pid, 'SIGKILL'));
