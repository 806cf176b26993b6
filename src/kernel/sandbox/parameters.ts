import { closeSync, constants, openSync, write } from 'node:fs';
import { promisify } from 'node:util';
import type { Sysctl } from '../../host-state/types.ts';
import type { NetworkNamespace } from '../netns.ts';
import { readSysctl, sysctlFile } from '../sysctl.ts';

const writeFd = promisify(write);

/**
 * Kernel parameters of another network namespace. Whose /proc/sys/net shows is decided when a file is opened (by the
 * calling thread's namespace), so that is done at once and the writing, which may wait for the kernel's RTNL lock, by a worker.
 */
export class Parameters {
  readonly #namespace: NetworkNamespace;

  constructor(namespace: NetworkNamespace) {
    this.#namespace = namespace;
  }

  /** @param path as in sysctl.ts @returns undefined where the kernel has none such */
  read(path: string): string | undefined {
    return this.#namespace.run(() => readSysctl(path));
  }

  /** The same where the kernel has such a parameter: without IPv6 it has none of it. */
  async setIfKnown(sysctl: Sysctl): Promise<void> {
    if (this.read(sysctl.path) !== undefined) await this.set(sysctl);
  }

  /** Writes what is not so already: /proc/sys may be read-only. @throws the file system's errors, as writeSysctl() */
  async set({ path, value }: Sysctl): Promise<void> {
    if (this.read(path) === value) return;
    const file = this.#namespace.run(() => openSync(sysctlFile(path), constants.O_WRONLY));
    try {
      await writeFd(file, value);
    } finally {
      closeSync(file);
    }
  }
}
