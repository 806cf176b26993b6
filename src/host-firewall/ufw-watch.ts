import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';

/** ufw writes a file in place, the IPv4 rules before those for IPv6: what it does at once is reported once. In ms. */
const GATHER = 100;

const FILES: Readonly<Record<string, readonly string[]>> = {
  'etc/ufw': ['ufw.conf', 'user.rules', 'user6.rules'],
  'etc/default': ['ufw'],
  // The directory itself, which comes and goes with the package.
  etc: ['ufw'],
};

/**
 * Reports changes of ufw's rules, settings and default policy, made by ufw or by hand. Directories are watched and not
 * the files, so that a file which an editor replaces stays watched; one that is not there is taken up when it appears.
 */
export class UfwWatch {
  readonly #root: string;
  readonly #onChange: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #timer: NodeJS.Timeout | undefined;

  /** @param options.root directory that the host's file system is seen at, default `/` */
  constructor(options: { readonly root?: string; readonly onChange: () => void }) {
    this.#root = options.root ?? '/';
    this.#onChange = options.onChange;
    this.#arm();
  }

  /** Nothing is reported from here on. */
  close(): void {
    clearTimeout(this.#timer);
    for (const directory of [...this.#watchers.keys()]) this.#drop(directory);
  }

  #arm(): void {
    for (const [directory, files] of Object.entries(FILES)) {
      if (this.#watchers.has(directory)) continue;
      try {
        const watcher = watch(join(this.#root, directory), { persistent: false }, (_, name) => {
          if (name === null || files.includes(name)) this.#changed(directory);
        });
        watcher.on('error', () => this.#drop(directory));
        this.#watchers.set(directory, watcher);
      } catch {
        // Not there: no ufw, until /etc says otherwise.
      }
    }
  }

  #changed(directory: string): void {
    // A new directory of the same name is another one, which the old watcher sees nothing of.
    if (directory === 'etc') this.#drop('etc/ufw');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#arm();
      this.#onChange();
    }, GATHER);
  }

  #drop(directory: string): void {
    this.#watchers.get(directory)?.close();
    this.#watchers.delete(directory);
  }
}
