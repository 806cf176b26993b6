import { closeSync, constants, openSync, readFileSync, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { failPoint } from '../fail-points.ts';

const writeFd = promisify(write);

const ROOT = '/proc/sys';
let writableRoot = ROOT;

/**
 * Where parameters are written from now on. In a managed plugin /proc/sys is read-only, and the engine can mount it, or its
 * `net`, at another place. There, too, what is under `net` belongs to the network namespace of the thread that opens it.
 * @param directory absolute; has the same tree as /proc/sys, as far as it is written to
 */
export function writeSysctlsBelow(directory: string): void {
  writableRoot = directory;
}

/**
 * Reads a kernel parameter of the current network namespace. The kernel answers from memory and takes no lock, so that it
 * is read here and now: by way of a worker it takes five times as long, and a start reads some for every network.
 * @param path under /proc/sys, with slashes: `net/ipv4/conf/eth0.5/rp_filter`
 * @returns its value without the line end; undefined where the kernel has none such (a link that is gone)
 * @throws RangeError for a path that leads out of /proc/sys
 */
export function readSysctl(path: string): string | undefined {
  try {
    return readFileSync(sysctlFile(ROOT, path), 'utf8').trimEnd();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Parameters that the kernel stores without its RTNL lock (net/ipv6/addrconf.c, net/ipv4/devinet.c): nobody has to wait for a worker. */
const AT_ONCE: ReadonlySet<string> = new Set(['accept_ra', 'accept_dad', 'route_localnet']);

type Within = <T>(action: () => T) => T;
const here: Within = action => action();

/**
 * Writes a kernel parameter of the current network namespace, if it is not so already: /proc/sys may be read-only.
 * @param within opens files in another namespace: whose parameter it is, is decided then
 * @throws RangeError as readSysctl, the file system's errors otherwise: ENOENT where there is none such, EINVAL
 *   for a value that the kernel refuses
 */
export async function writeSysctl(path: string, value: string, within: Within = here): Promise<void> {
  const file = within(() => (readSysctl(path) === value ? undefined : openSysctl(path)));
  if (file === undefined) return;
  try {
    // Else on a worker, for it may wait for the kernel's RTNL lock.
    if (AT_ONCE.has(path.split('/').at(-1) ?? '')) writeSync(file, value);
    else await writeFd(file, value);
  } finally {
    closeSync(file);
  }
}

function openSysctl(path: string): number {
  failPoint('sysctl', path);
  // Without O_CREAT, so that a mistaken path never asks for a new file.
  return openSync(sysctlFile(writableRoot, path), constants.O_WRONLY);
}

// Interface names may hold dots but are neither `.` nor `..` and have no slash (dev_valid_name in the kernel).
function sysctlFile(root: string, path: string): string {
  const parts = path.split('/');
  const bad = parts.some(part => part === '' || part === '.' || part === '..' || /[\0\s]/.test(part));
  if (bad) throw new RangeError(`no sysctl path: ${JSON.stringify(path)}`);
  return `${root}/${path}`;
}
