import { NamespaceError, NetworkNamespace } from '../netns.ts';
import { Rtnetlink } from '../rtnetlink/rtnetlink.ts';
import { Parameters } from './parameters.ts';

/** The ways into a sandbox. Whoever enters closes them: kept open, they would keep its namespace alive. */
export class Inside implements Disposable {
  readonly namespace: NetworkNamespace;
  readonly rtnetlink: Rtnetlink;
  readonly parameters: Parameters;

  /** @param namespace becomes this object's to close, also when this throws */
  constructor(namespace: NetworkNamespace) {
    this.namespace = namespace;
    this.parameters = new Parameters(namespace);
    try {
      this.rtnetlink = Rtnetlink.open(namespace, 1);
    } catch (error) {
      namespace.close();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.rtnetlink.close();
    this.namespace.close();
  }
}

/**
 * Opens the ways into a sandbox.
 * @param path of the sandbox's network namespace, as Join's SandboxKey names it
 * @returns undefined when the path is gone or is no network namespace (any more)
 * @throws NamespaceError when the namespace may not be entered
 */
export function enter(path: string): Inside | undefined {
  try {
    return new Inside(NetworkNamespace.open(path));
  } catch (error) {
    if (error instanceof NamespaceError && error.problem !== 'denied') return undefined;
    throw error;
  }
}

/**
 * Does something inside a sandbox.
 * @param path as for {@link enter}, which tells what is returned and thrown
 */
export async function inSandbox<T>(
  path: string,
  action: (inside: Inside) => Promise<T>,
): Promise<T | undefined> {
  using inside = enter(path);
  return inside === undefined ? undefined : await action(inside);
}
