import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { activeZones, chooseZone, ZONES } from './firewalld-zones.ts';

const PROGRAM = 'firewall-cmd';
/** Exit status NOT_RUNNING of man firewall-cmd. */
const NOT_RUNNING = 252;
/** firewalld answers nothing while it loads its rules. In ms. */
const TIMEOUT = 20_000;

export interface FirewalldOutcome {
  /** Bridges that are in a zone now and were in none. */
  readonly bound: readonly string[];
  /** Bridges that are gone, and so is what firewalld knew of them. */
  readonly released: readonly string[];
  /** What firewalld said no to, for the log. */
  readonly problem?: string;
}

const NOTHING: FirewalldOutcome = { bound: [], released: [] };

/**
 * Keeps tsnet's own bridges in a zone of firewalld, on hosts where it runs.
 *
 * Without that they are in none, and firewalld rejects at the end of its forward chain, behind all of tsnet's rules,
 * whatever comes from them: new connections to other hosts, and between containers of one network where
 * br_netfilter shows bridged frames to the chain. Published ports and replies it lets through of itself (`ct status
 * dnat`, `ct state established`), so shims need no zone; parents and bridges of others are not tsnet's to bind.
 *
 * The zone is that of the engine's own bridges, `docker`: target ACCEPT, with a policy `docker-forwarding` to it from
 * everywhere, made by every engine that finds firewalld running (moby daemon/libnetwork/iptables/firewalld.go). What
 * may pass is then judged by tsnet's rules, and a container reaches the host as one on an engine's network does.
 * A zone of its own would need a permanent configuration and a reload, which discards what the administrator has
 * set at runtime only. Where there is no such zone, for an engine with iptables=false, it is firewalld's `trusted`.
 *
 * Bindings are of the runtime only: they end with the networks, and with each reload of firewalld
 * (FlushAllOnReload=yes), after which settle() is due. A link that somebody has put into a zone stays there.
 */
export class Firewalld {
  readonly #bridges: () => readonly string[];
  readonly #known = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();

  /** @param bridges names of the bridges that tsnet has made, as they are when settle() gets to it */
  constructor(bridges: () => readonly string[]) {
    this.#bridges = bridges;
  }

  /**
   * Binds what is in no zone and releases what is gone; one call after the other. Takes half a second or so
   * (firewall-cmd is written in Python): not for the attach path.
   */
  settle(): Promise<FirewalldOutcome> {
    const next = this.#last.then(() => this.#settle());
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #settle(): Promise<FirewalldOutcome> {
    const bridges = this.#bridges();
    if (bridges.length === 0 && this.#known.size === 0) return NOTHING;
    if (!(await isInstalled())) return NOTHING;
    const active = await run('--get-active-zones');
    if (active.absent) return NOTHING;
    if (active.problem !== undefined) return { ...NOTHING, problem: active.problem };

    const zones = activeZones(active.stdout);
    const problems: string[] = [];
    const change = async (option: string, zone: string, links: readonly string[]): Promise<boolean> => {
      if (links.length === 0) return false;
      const { problem } = await run(`--zone=${zone}`, ...links.map(link => `--${option}-interface=${link}`));
      if (problem !== undefined) problems.push(problem);
      return problem === undefined;
    };

    const released: string[] = [];
    for (const zone of ZONES) {
      const gone = (zones.get(zone) ?? []).filter(link => this.#known.has(link) && !bridges.includes(link));
      if (await change('remove', zone, gone)) released.push(...gone);
    }
    const assigned = new Set([...zones.values()].flat());
    const missing = bridges.filter(link => !assigned.has(link));
    const zone = missing.length === 0 ? undefined : await usableZone(zones);
    const bound = zone !== undefined && (await change('add', zone, missing)) ? missing : [];

    this.#known.clear();
    for (const link of bridges) this.#known.add(link);
    return { bound, released, ...(problems.length === 0 ? {} : { problem: problems.join('; ') }) };
  }
}

async function usableZone(active: ReadonlyMap<string, unknown>): Promise<string | undefined> {
  if (active.has(ZONES[0])) return ZONES[0];
  const all = await run('--get-zones');
  return all.problem === undefined && !all.absent ? chooseZone(all.stdout) : undefined;
}

/** To try it takes a child process, and the event loop some milliseconds, after each network on a host without it. */
async function isInstalled(): Promise<boolean> {
  const directories = (process.env['PATH'] ?? '').split(':').filter(directory => directory !== '');
  const found = directories.map(directory => access(join(directory, PROGRAM), constants.X_OK));
  return Promise.any(found).then(
    () => true,
    () => false,
  );
}

interface Answer {
  readonly stdout: string;
  /** firewalld is not installed where tsnet could use it, or does not run. */
  readonly absent: boolean;
  readonly problem?: string;
}

async function run(...args: readonly string[]): Promise<Answer> {
  const { stdout, stderr, failed, code, exitCode, shortMessage } = await execa(PROGRAM, args, {
    reject: false,
    stdin: 'ignore',
    timeout: TIMEOUT,
    env: { LC_ALL: 'C' },
  });
  const absent = code === 'ENOENT' || exitCode === NOT_RUNNING;
  return { stdout, absent, ...(failed && !absent ? { problem: stderr || shortMessage } : {}) };
}
