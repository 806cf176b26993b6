import { NamespaceError, NetworkNamespace } from '../netns.ts';
import { Rtnetlink } from '../rtnetlink/rtnetlink.ts';
import { Parameters } from './parameters.ts';

/** The ways into a sandbox, closed behind whoever was inside: kept open, they would keep its namespace alive. */
export interface Inside {
  readonly rtnetlink: Rtnetlink;
  readonly parameters: Parameters;
}

/**
 * Does something inside a sandbox.
 * @param path of the sandbox's network namespace, as Join's SandboxKey names it
 * @returns undefined when the path is gone or is no network namespace (any more)
 * @throws NamespaceError when the namespace may not be entered
 */
export async function inSandbox<T>(
  path: string,
  action: (inside: Inside) => Promise<T>,
): Promise<T | undefined> {
  let namespace: NetworkNamespace | undefined;
  let rtnetlink: Rtnetlink;
  try {
    namespace = NetworkNamespace.open(path);
    rtnetlink = Rtnetlink.open(path, 1);
  } catch (error) {
    namespace?.close();
    if (error instanceof NamespaceError && error.problem !== 'denied') return undefined;
    throw error;
  }
  try {
    return await action({ rtnetlink, parameters: new Parameters(namespace) });
  } finally {
    rtnetlink.close();
    namespace.close();
  }
}
