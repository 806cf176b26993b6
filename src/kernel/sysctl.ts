import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';

const ROOT = '/proc/sys';

/**
 * Reads a kernel parameter of the current network namespace. The kernel answers from memory and takes no lock, so that it
 * is read here and now: by way of a worker it takes five times as long, and a start reads some for every network.
 * @param path under /proc/sys, with slashes: `net/ipv4/conf/eth0.5/rp_filter`
 * @returns its value without the line end; undefined where the kernel has none such (a link that is gone)
 * @throws RangeError for a path that leads out of /proc/sys
 */
export function readSysctl(path: string): string | undefined {
  try {
    return readFileSync(sysctlFile(path), 'utf8').trimEnd();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Writes a kernel parameter of the current network namespace.
 * @throws RangeError as readSysctl, the file system's errors otherwise: ENOENT where there is none such, EINVAL
 *   for a value that the kernel refuses
 */
export async function writeSysctl(path: string, value: string): Promise<void> {
  // `r+`: without O_CREAT, so that a mistaken path never asks for a new file.
  await writeFile(sysctlFile(path), value, { flag: 'r+' });
}

/**
 * The file of a kernel parameter.
 * @throws RangeError for a path that leads out of /proc/sys
 */
// Interface names may hold dots but are neither `.` nor `..` and have no slash (dev_valid_name in the kernel).
export function sysctlFile(path: string): string {
  const parts = path.split('/');
  const bad = parts.some(part => part === '' || part === '.' || part === '..' || /[\0\s]/.test(part));
  if (bad) throw new RangeError(`no sysctl path: ${JSON.stringify(path)}`);
  return `${ROOT}/${path}`;
}
