import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Generation } from '../../test/lab/engines.ts';
import type { Host } from '../../test/lab/host.ts';
import { Lab } from '../../test/lab/lab.ts';
import type { Boot } from '../judge/target.ts';
import { FOREIGN } from '../world/places.ts';
import { CampaignWorld } from '../world/world.ts';
import { type BareTimes, bareTimes, untimed } from './bare-times.ts';
import { EngineCalls } from './engine-calls.ts';
import { TsnetDaemon } from './tsnet-daemon.ts';

const CARDS = 2;
/** What each boot of the host does before any daemon starts. A lab's cards are new ones after each; a real one keeps its MAC. */
const BOOT = [
  ...Array.from({ length: CARDS }, (_, k) => `ip link set eth${k} address 02:00:5e:00:53:0${k + 1}`),
  // Or else its MAC would change with its ports, and containers would lose the gateway for as long as they hold the old one.
  `ip link add ${FOREIGN.link} address 02:00:5e:00:53:10 type bridge`,
  `ip addr add ${FOREIGN.address} dev ${FOREIGN.link}`,
  `ip link set ${FOREIGN.link} up`,
].join('\n');

export interface StageOptions {
  readonly engine: Generation;
  readonly program: string;
  readonly bootTimes: boolean;
}

/** A throwaway host with tsnet on it, and what the campaign believes to be there. */
export class Stage implements AsyncDisposable {
  readonly lab: Lab;
  readonly host: Host;
  readonly daemon: TsnetDaemon;
  readonly calls: EngineCalls;
  readonly world = new CampaignWorld();
  /** What the engine's starts are compared with; undefined: with nothing. */
  readonly bare: BareTimes | undefined;
  /** Whether the engine that runs now leaves its containers running when it ends. */
  liveRestore = false;
  /** The longest start of the engine, and how many containers it had to start. */
  longestBoot = { ms: 0, containers: 0 };
  #boots: Boot[] = [];

  private constructor(lab: Lab, daemon: TsnetDaemon, bare: BareTimes | undefined) {
    this.lab = lab;
    this.host = lab.host();
    this.daemon = daemon;
    this.bare = bare;
    this.calls = new EngineCalls(this.host);
  }

  /** Makes a host, starts tsnet and the engine on it. @param options.program tsnet's executable, of which a copy is used */
  static async create({ engine, program, bootTimes }: StageOptions): Promise<Stage> {
    const lab = await Lab.create({ disk: 'dir', nics: CARDS, hosts: [{ engine, autostart: false }] });
    try {
      const host = lab.host();
      await host.sh(BOOT);
      const copy = join(host.dir, 'tsnet');
      await copyFile(program, copy);
      const bare = bootTimes ? await bareTimes(host) : await untimed(host);
      const daemon = new TsnetDaemon(host, copy);
      await daemon.start();
      return new Stage(lab, daemon, bare);
    } catch (error) {
      await lab.destroy();
      throw error;
    }
  }

  /** Starts the engine and keeps the time. @param liveRestore whether it is to leave its containers running when it ends */
  async startEngine(liveRestore: boolean): Promise<void> {
    const containers = [...this.world.containers.values()].filter(({ restarts }) => restarts).length;
    const began = performance.now();
    await this.host.startEngine(liveRestore ? ['--live-restore'] : []);
    const ms = performance.now() - began;
    if (ms > this.longestBoot.ms) this.longestBoot = { ms, containers };
    if (this.bare !== undefined) {
      const without = this.bare.boot + containers * this.bare.container;
      this.#boots.push({ what: `engine with ${containers} containers to start`, ms, without });
    }
    this.liveRestore = liveRestore;
  }

  /** The starts of the engine since this was asked last. */
  takeBoots(): Boot[] {
    const boots = this.#boots;
    this.#boots = [];
    return boots;
  }

  /** Ends everything that runs on the host at once, and switches it on again. Daemons do not run yet. */
  async powerLoss(): Promise<void> {
    await this.host.crash();
    await this.daemon.kill();
    await this.host.boot();
    await this.host.sh(BOOT);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab.destroy();
  }
}
