import { NamespaceError, NetworkNamespace } from '../kernel/netns.ts';

/**
 * Whether a container's sandbox is there. Its path alone says nothing: engines leave an empty file behind for a minute.
 * @param path of its network namespace, as Join named it
 */
export function isSandboxThere(path: string): boolean {
  try {
    NetworkNamespace.open(path).close();
    return true;
  } catch (error) {
    // What may not be looked at is there.
    return !(error instanceof NamespaceError) || error.problem === 'denied';
  }
}
