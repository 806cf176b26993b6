import type { Sysctl } from '../../host-state/types.ts';
import type { NetworkNamespace } from '../netns.ts';
import { readSysctl, writeSysctl, writeSysctlIfKnown } from '../sysctl.ts';

/** Kernel parameters of another network namespace. Whose /proc/sys/net shows is decided when a file is opened, by the calling thread's. */
export class Parameters {
  readonly #namespace: NetworkNamespace;

  constructor(namespace: NetworkNamespace) {
    this.#namespace = namespace;
  }

  /** @param path as in sysctl.ts @returns undefined where the kernel has none such */
  read(path: string): string | undefined {
    return this.#namespace.run(() => readSysctl(path));
  }

  /** @throws as writeSysctl() */
  set({ path, value }: Sysctl): Promise<void> {
    return writeSysctl(path, value, action => this.#namespace.run(action));
  }

  /** As set(), where the kernel has such a parameter: without IPv6 it has none of it. */
  setIfKnown({ path, value }: Sysctl): Promise<void> {
    return writeSysctlIfKnown(path, value, action => this.#namespace.run(action));
  }
}
