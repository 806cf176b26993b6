import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { parseAddress } from '../../addresses.ts';
import type { Port } from './hold-book.ts';

/** Looking through all processes ends then, in milliseconds: the caller waits for it. */
const PATIENCE = 300;

const LISTEN = '0A';

interface SocketRow {
  /** Hexadecimal state of <net/tcp_states.h>. */
  readonly state: string;
  /** `0`: no process has it open any more. */
  readonly inode: string;
}

interface Process {
  readonly pid: number;
  readonly name: string;
}

/**
 * Who has a port of the host, in words that go after "is taken by". What cannot be found out is "another process": one
 * in a pid namespace that tsnet does not see, the kernel itself, a socket that is bound without listening.
 */
export function portUser(port: Port): string {
  const rows = socketsOn(port);
  const row =
    rows.find(({ state }) => state === LISTEN) ?? rows.find(({ inode }) => inode !== '0') ?? rows[0];
  if (row === undefined) return 'another process';
  const connection = port.protocol === 'tcp' && row.state !== LISTEN ? 'a connection of ' : '';
  if (row.inode === '0' && connection !== '') return 'a connection that is being closed';
  const processes = processesWith(row.inode);
  const owner = processes.find(({ name }) => name === 'docker-proxy') ?? processes[0];
  return `${connection}${owner === undefined ? 'another process' : describeProcess(owner)}`;
}

/** Whether a TCP port is only kept by connections, open ones or what is left of them, and nobody listens on it. */
export function onlyConnectionsOn(port: Port): boolean {
  if (port.protocol !== 'tcp') return false;
  const rows = socketsOn(port);
  return rows.length > 0 && rows.every(({ state }) => state !== LISTEN);
}

/** The sockets that exclude a socket of ours on `port`, as far as /proc/net lists them: none that is only bound. */
function socketsOn({ protocol, address, port }: Port): SocketRow[] {
  if (protocol === 'sctp') return [];
  const { family, value } = parseAddress(address);
  const own = procHex(value, family === 4 ? 4 : 16);
  if (family === 6) return rowsOf(`${protocol}6`, port, local => excludes(own, local));
  return [
    ...rowsOf(protocol, port, local => excludes(own, local)),
    // An IPv6 socket that is not IPV6_V6ONLY has the port in IPv4 as well.
    ...rowsOf(`${protocol}6`, port, local =>
      local.startsWith(MAPPED) ? excludes(own, local.slice(MAPPED.length)) : isZero(local),
    ),
  ];
}

const MAPPED = '0000000000000000FFFF0000';
const isZero = (hex: string): boolean => /^0+$/.test(hex);
const excludes = (a: string, b: string): boolean => a === b || isZero(a) || isZero(b);

function rowsOf(table: string, port: number, matches: (local: string) => boolean): SocketRow[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return read(`/proc/thread-self/net/${table}`)
    .split('\n')
    .filter(line => line.includes(suffix))
    .flatMap(line => {
      const [, local = '', , state = '', , , , , , inode = '0'] = line.trim().split(/\s+/);
      return local.endsWith(suffix) && matches(local.slice(0, -suffix.length)) ? [{ state, inode }] : [];
    });
}

/** An address as /proc/net prints it: 32-bit words in the byte order of the host, which is little-endian. */
function procHex(value: bigint, bytes: 4 | 16): string {
  const words = Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex').swap32();
  return words.toString('hex').toUpperCase();
}

/** The processes that have a socket open, by pid. */
function processesWith(inode: string): Process[] {
  const link = `socket:[${inode}]`;
  const deadline = performance.now() + PATIENCE;
  const found: Process[] = [];
  const pids = list('/proc').map(Number).filter(Number.isInteger);
  for (const pid of pids.sort((a, b) => a - b)) {
    if (performance.now() > deadline) break;
    if (list(`/proc/${pid}/fd`).some(fd => linkOf(`/proc/${pid}/fd/${fd}`) === link)) {
      found.push({ pid, name: nameOf(pid) });
    }
  }
  return found;
}

/** As ps(1) shows it, but for Node.js, which calls its first thread `MainThread`. */
function nameOf(pid: number): string {
  const name = read(`/proc/${pid}/comm`).trim();
  const program = name.endsWith('MainThread') ? basename(linkOf(`/proc/${pid}/exe`)) : '';
  return printable(program || name);
}

/** A process may call itself what it likes. */
const printable = (text: string): string => text.replace(/[^ -~]/g, '?');

function describeProcess({ pid, name }: Process): string {
  if (pid === process.pid) return `tsnet itself (pid ${pid})`;
  if (name === 'dockerd') return "the engine's own publication (dockerd)";
  if (name !== 'docker-proxy') return `process ${name} (pid ${pid})`;
  const args = read(`/proc/${pid}/cmdline`).split('\0');
  const [ip, port] = ['container-ip', 'container-port'].map(flag => args[args.indexOf(`-${flag}`) + 1]);
  const known = args.includes('-container-ip') && args.includes('-container-port');
  const place = ip?.includes(':') ? `[${ip}]` : ip;
  return `the engine's own publication${known ? ` for ${place}:${port}` : ''} (docker-proxy)`;
}

/** Processes come and go while they are looked at: what is gone is empty. */
function quietly<T>(action: () => T, otherwise: T): T {
  try {
    return action();
  } catch {
    return otherwise;
  }
}

const read = (path: string): string => quietly(() => readFileSync(path, 'utf8'), '');
const list = (path: string): string[] => quietly(() => readdirSync(path), []);
const linkOf = (path: string): string => quietly(() => readlinkSync(path), '');
