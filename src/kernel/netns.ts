import { closeSync, constants, openSync, statfsSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { setns } from './libc.ts';

const CLONE_NEWNET = 0x40000000;
/** File system type of namespace files, <linux/magic.h>. */
const NSFS_MAGIC = 0x6e736673;

export type NamespaceProblem = 'missing' | 'not-a-namespace' | 'denied';

/** A path that does not lead into a network namespace. */
export class NamespaceError extends Error {
  override readonly name = 'NamespaceError';
  readonly problem: NamespaceProblem;
  readonly path: string;

  constructor(problem: NamespaceProblem, path: string, cause?: unknown) {
    super(`network namespace ${path}: ${problem}`, cause === undefined ? {} : { cause });
    this.problem = problem;
    this.path = path;
  }
}

/** The process's own namespace, opened once: each visit to another ends with going back there. */
let home: number | undefined;

/** A network namespace held open: it lives on, even if its path is unlinked, until it is closed. */
export class NetworkNamespace {
  readonly path: string;
  /** Descriptor of the open file. */
  readonly fd: number;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.fd = fd;
  }

  /**
   * @param path a namespace file: `/run/docker/netns/…`, `/proc/PID/ns/net`
   * @throws NamespaceError when there is nothing, or something else, at the path
   */
  static open(path: string): NetworkNamespace {
    try {
      // Looked at before it is opened: opening a FIFO or a device at a wrong path could block or do harm.
      if (statfsSync(path).type !== NSFS_MAGIC) throw new NamespaceError('not-a-namespace', path);
      return new NetworkNamespace(path, openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
    } catch (error) {
      throw error instanceof NamespaceError ? error : new NamespaceError(problemOf(error), path, error);
    }
  }

  /**
   * Runs `action` with the calling thread inside the namespace. Synchronous, so nothing else of this thread can
   * run meanwhile; `action` must neither start work on other threads nor visit a namespace itself. What it opens stays
   * in this one.
   * @throws NamespaceError when the file is a namespace of another type or may not be entered
   */
  run<T>(action: () => T): T {
    home ??= openSync('/proc/thread-self/ns/net', constants.O_RDONLY);
    const entered = setns(this.fd, CLONE_NEWNET);
    if (entered < 0) {
      const problem = getSystemErrorName(entered) === 'EINVAL' ? 'not-a-namespace' : 'denied';
      throw new NamespaceError(problem, this.path, new Error(getSystemErrorName(entered)));
    }
    try {
      return action();
    } finally {
      // A process that cannot get back would go on to change somebody else's network.
      if (setns(home, CLONE_NEWNET) < 0) process.abort();
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}

function problemOf(error: unknown): NamespaceProblem {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ESRCH' ? 'missing' : 'denied';
}
