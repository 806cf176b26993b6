import type { Generation } from '../../test/lab/engines.ts';
import { Lab } from '../../test/lab/lab.ts';
import { FOREIGN } from './plans.ts';
import { Scene } from './scene.ts';

/** A throwaway host with tsnet that dies and is started again, and with a bridge of its own. */
export class Stage implements AsyncDisposable {
  readonly scene: Scene;
  readonly lab: Lab;

  private constructor(lab: Lab, program: string) {
    this.lab = lab;
    this.scene = new Scene(lab.host(), lab.lan, program);
  }

  /** @param program the daemon's executable */
  static async open(engine: Generation, program: string): Promise<Stage> {
    const lab = await Lab.create({ hosts: [{ engine }], nics: 2 });
    try {
      const stage = new Stage(lab, program);
      const { host, supervisor } = stage.scene;
      await host.sh(
        [
          `ip link add ${FOREIGN.link} type bridge`,
          `ip addr add ${FOREIGN.address} dev ${FOREIGN.link}`,
          `ip link set ${FOREIGN.link} up`,
        ].join('; '),
      );
      await Promise.all([supervisor.begin(), host.loadImage()]);
      return stage;
    } catch (error) {
      await lab.destroy();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scene.supervisor.end();
    await this.lab.destroy();
  }
}
