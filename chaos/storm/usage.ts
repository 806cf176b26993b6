import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { waitFor } from '../../test/lab/wait.ts';

/** What a process has of the machine at a moment. */
export interface Usage {
  /** Resident memory in MiB, without the pages of files, which the kernel may take back at any time. */
  readonly memory: number;
  /** The same with those. */
  readonly resident: number;
  /** The largest `resident` since `forgetPeak`. */
  readonly peak: number;
  readonly threads: number;
  /** File descriptors by kind: `netlink socket`, `anon_inode:[eventpoll]`, a path. */
  readonly descriptors: ReadonlyMap<string, number>;
}

/** @param pid as the machine numbers it */
export function usageOf(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (field: string): number => {
    const [, value] = new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status) ?? [];
    if (value === undefined) throw new Error(`no ${field} in /proc/${pid}/status`);
    return Number(value);
  };
  return {
    memory: of('RssAnon') / 1024,
    resident: of('VmRSS') / 1024,
    peak: of('VmHWM') / 1024,
    threads: of('Threads'),
    descriptors: descriptorsOf(pid),
  };
}

/** Lets the peak of a process begin anew (proc_pid_clear_refs(5)). */
export const forgetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5');

/** Milliseconds: tsnet gives memory back after 20 s without a call, and V8 some seconds before. */
const REST = 60_000;

/**
 * Waits until a daemon that nobody calls has given back what it does not need: its code then is in the page cache alone.
 * @param log the daemon's, on the level debug
 */
export async function atRest(pid: number, log: () => string): Promise<Usage> {
  const times = () => log().split(GIVEN_BACK).length;
  const before = times();
  await waitFor(() => times() > before, { timeout: REST, what: 'the daemon to give memory back' });
  return usageOf(pid);
}

const GIVEN_BACK = 'memory given back';

/** How many descriptors there are of the daemon's own making. */
export const total = (descriptors: ReadonlyMap<string, number>): number =>
  [...descriptors].reduce((sum, [kind, number]) => sum + (kind === OF_ENGINE ? 0 : number), 0);

/** Of which kinds there are more than before, and how many more; the engine's connections are the engine's. */
export const growthOf = (
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): [kind: string, more: number][] =>
  [...after]
    .map(([kind, number]): [string, number] => [kind, number - (before.get(kind) ?? 0)])
    .filter(([kind, more]) => more > 0 && kind !== OF_ENGINE);

/** The kind of the sockets through which the kernel is asked, which are kept for the next call. */
export const NETLINK = 'netlink socket';

/** The kind of the connections that the engine holds to the daemon, open and idle: their number is the engine's choice. */
export const OF_ENGINE = 'connection of the engine';

function descriptorsOf(pid: number): Map<string, number> {
  const sockets = socketsOf(pid);
  const found = new Map<string, number>();
  for (const name of readdirSync(`/proc/${pid}/fd`)) {
    const file = target(`/proc/${pid}/fd/${name}`);
    if (file === undefined) continue;
    const [, kind = file, inode] = /^(\w+):\[(\d+)\]$/.exec(file) ?? [];
    const known = (inode === undefined ? undefined : sockets.get(inode)) ?? kind;
    found.set(known, (found.get(known) ?? 0) + 1);
  }
  return found;
}

/** Kinds of the sockets in a process's network namespace, by inode. */
function socketsOf(pid: number): Map<string, string> {
  const rows = (table: string) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .trimEnd()
      .split('\n')
      .slice(1)
      .map(line => line.trim().split(/\s+/));
  const connected = '03';
  return new Map([
    ...rows('netlink').map(fields => [fields.at(-1) ?? '', NETLINK] as const),
    // Num RefCount Protocol Flags Type St Inode Path
    ...rows('unix').map(([, , , , , state, inode = '', path]) => {
      const isEngine = state === connected && path?.endsWith('/tsnet.sock');
      return [inode, isEngine ? OF_ENGINE : 'Unix socket'] as const;
    }),
    ...['tcp', 'tcp6', 'udp', 'udp6', 'packet'].flatMap(table =>
      rows(table).map(fields => [fields[table === 'packet' ? 8 : 9] ?? '', `${table} socket`] as const),
    ),
  ]);
}

/** What a link in /proc leads to; undefined for a descriptor that has been closed meanwhile. */
function target(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
