import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findEngine } from './engines.ts';
import { endGuard, type Guard, startGuard } from './guard-process.ts';
import type { HolderSpec } from './holder.ts';
import { Host } from './host.ts';
import { LanNode } from './lan.ts';
import type { AddressPlan } from './net.ts';
import { labName, newLabDir } from './paths.ts';
import { removeLab, sweep } from './remove.ts';
import { type HostOptions, identify, type LabState, readState, writeState } from './state.ts';

/** What a lab is to be. */
export interface LabOptions extends Partial<AddressPlan> {
  /** One entry a host. Default: one host with the machine's own engine. */
  hosts?: readonly HostOptions[];
  /** tmpfs (default): fast, gone with a crash; dir: hosts keep their disks through `crash` and `boot`. */
  disk?: 'tmpfs' | 'dir';
  /** Network cards of each host, each on a LAN segment of its own. Default 1. */
  nics?: number;
  /** Files and directories of the machine that all nodes see at the same path, writable. */
  binds?: readonly string[];
  /** Whether the lab outlives this process. Default false: it dies with it, whatever kills it. */
  detached?: boolean;
}

const DEFAULT_PLAN: AddressPlan = { prefix4: '198.18.0', prefix6: 'fd99:0:0', mtu: 1500 };

/**
 * Throwaway Docker hosts on a LAN, all of them process trees in namespaces of this machine. Needs root and what
 * scripts/setup/packages.sh installs. Labs do not see each other, and any number may exist at once.
 */
export class Lab implements AsyncDisposable {
  /** Unique on the machine. */
  readonly name: string;
  /** Its directory, which is gone after `destroy`. */
  readonly dir: string;
  /** A node of the LAN that is no Docker host: 198.18.0.1 and fd99::1, everyone's default route. */
  readonly lan: LanNode;
  readonly hosts: readonly Host[];
  #guard: Guard | undefined;

  private constructor(dir: string, lan: LanNode, hosts: readonly Host[]) {
    this.dir = dir;
    this.name = labName(dir);
    this.lan = lan;
    this.hosts = hosts;
  }

  /**
   * Makes a lab and boots its hosts, all at once.
   *
   * @throws Error when not root, when an engine is missing, or when a host does not boot; nothing is left then
   */
  static async create(options: LabOptions = {}): Promise<Lab> {
    if (process.getuid?.() !== 0) throw new Error('lab: Docker hosts can only be made by root');
    await sweep();
    const dir = newLabDir();
    const state: LabState = {
      creator: identify(process.pid),
      detached: options.detached ?? false,
      disk: options.disk ?? 'tmpfs',
      nics: options.nics ?? 1,
      plan: {
        prefix4: options.prefix4 ?? DEFAULT_PLAN.prefix4,
        prefix6: options.prefix6 ?? DEFAULT_PLAN.prefix6,
        mtu: options.mtu ?? DEFAULT_PLAN.mtu,
      },
      binds: options.binds ?? [],
      hosts: options.hosts ?? [{}],
    };
    const guard = state.detached ? undefined : startGuard(dir);
    if (guard !== undefined) state.guard = identify(guard.pid);
    try {
      await mkdir(dir, { mode: 0o755 });
      await writeState(dir, state);
      const lab = await Lab.#of(dir, state);
      lab.#guard = guard;
      await lab.lan.boot();
      const boots = await Promise.allSettled(lab.hosts.map(host => host.boot()));
      const failed = boots.find(boot => boot.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      return lab;
    } catch (error) {
      await removeLab(dir);
      if (guard !== undefined) await endGuard(guard);
      throw error;
    }
  }

  /** The lab in a directory, made by another process. @throws Error when there is none */
  static async attach(dir: string): Promise<Lab> {
    const state = readState(dir);
    if (state === undefined) throw new Error(`lab: there is none in ${dir}`);
    return Lab.#of(dir, state);
  }

  static async #of(dir: string, state: LabState): Promise<Lab> {
    const spec = (name: string): HolderSpec => ({
      lab: labName(dir),
      name,
      dir: join(dir, name),
      disk: state.disk,
      engineDir: '',
      containers: false,
      detached: state.detached,
      binds: state.binds,
    });
    const lan = new LanNode(spec('lan'), state.plan, state.nics);
    const hosts = await Promise.all(
      state.hosts.map(async (host, at) => {
        const engine = await findEngine(host.engine ?? '20.10');
        return new Host(
          { ...spec(`h${at + 1}`), containers: true, engineDir: engine.dir },
          {
            index: at + 1,
            engine,
            dockerdArgs: host.dockerdArgs ?? [],
            daemonJson: host.daemonJson ?? {},
            autostart: host.autostart ?? true,
            plan: state.plan,
            nics: state.nics,
          },
          lan,
        );
      }),
    );
    return new Lab(dir, lan, hosts);
  }

  /** A host by its place, from 0. @throws Error when the lab has no such host */
  host(at = 0): Host {
    const host = this.hosts[at];
    if (host === undefined) throw new Error(`lab: no host ${at}, there are ${this.hosts.length}`);
    return host;
  }

  /** Ends and removes everything. */
  async destroy(): Promise<void> {
    await Promise.all([...this.hosts.map(host => host.crash()), this.lan.crash()]);
    await removeLab(this.dir);
    if (this.#guard !== undefined) await endGuard(this.#guard);
    this.#guard = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy();
  }
}
