import { join } from 'node:path';
import type { TsnetHost } from '../../engine/support/tsnet-host.ts';
import type { Child } from '../../lab/child.ts';
import type { Chapter, Step } from '../../replay/trace.ts';
import { BEHIND, SCENES, type Scene } from './scenes.ts';

const PROXY = join(import.meta.dirname, '../../replay/recording-proxy.ts');
const PLUGIN_SOCKET = '/run/docker/plugins/tsnet.sock';

/** Records what the engine of a host says to its daemon, which has to listen at BEHIND. */
export class Recorder {
  readonly #host: TsnetHost;
  readonly #proxy: Child;
  #read = 0;

  private constructor(host: TsnetHost, proxy: Child) {
    this.#host = host;
    this.#proxy = proxy;
  }

  static async start(host: TsnetHost): Promise<Recorder> {
    const proxy = await host.host.spawn('node', [PROXY, PLUGIN_SOCKET, BEHIND]);
    await proxy.waitForOutput('recording');
    const recorder = new Recorder(host, proxy);
    recorder.#take();
    return recorder;
  }

  /** Plays all scenes that the engine is capable of, one after the other. */
  async recordAll(): Promise<Chapter[]> {
    const major = Number.parseInt(this.#host.host.engine.generation, 10);
    const chapters: Chapter[] = [];
    for (const scene of SCENES) if (major >= (scene.since ?? 0)) chapters.push(await this.#record(scene));
    return chapters;
  }

  async #record({ name, play }: Scene): Promise<Chapter> {
    const steps: Step[] = [];
    await play(this.#host, async event => void steps.push(...this.#take(), { event }));
    steps.push(...this.#take());
    return { name, steps };
  }

  /** What was said since the last time. Docker's commands end after their last call was answered. */
  #take(): Step[] {
    const lines = this.#proxy
      .output()
      .split('\n')
      .filter(line => line.startsWith('{'));
    const taken = lines.slice(this.#read).map(line => JSON.parse(line) as Step);
    this.#read = lines.length;
    return taken;
  }
}
