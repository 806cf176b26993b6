import type { Sysctl } from '../../host-state/types.ts';
import type { NetworkNamespace } from '../netns.ts';
import { writeSysctl } from '../sysctl.ts';

/** Kernel parameters of another network namespace. Whose /proc/sys/net shows is decided when a file is opened, by the calling thread's. */
export class Parameters {
  readonly #namespace: NetworkNamespace;

  constructor(namespace: NetworkNamespace) {
    this.#namespace = namespace;
  }

  /** @throws as writeSysctl() */
  set({ path, value }: Sysctl): Promise<void> {
    return writeSysctl(path, value, action => this.#namespace.run(action));
  }

  /** As set(), where the kernel has such a parameter: without IPv6 it has none of it. */
  async setIfKnown(sysctl: Sysctl): Promise<void> {
    try {
      await this.set(sysctl);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
