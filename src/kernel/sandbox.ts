import type { LinkInfo } from './link-info.ts';
import { NamespaceError } from './netns.ts';
import { Rtnetlink } from './rtnetlink/rtnetlink.ts';

/**
 * The links inside a sandbox.
 * @param path of the sandbox's network namespace, as Join's SandboxKey names it
 * @returns undefined when the path is gone or is no network namespace (any more)
 * @throws NamespaceError when the namespace may not be entered
 */
export async function sandboxLinks(path: string): Promise<LinkInfo[] | undefined> {
  let sandbox: Rtnetlink;
  try {
    sandbox = Rtnetlink.open(path, 1);
  } catch (error) {
    if (error instanceof NamespaceError && error.problem !== 'denied') return undefined;
    throw error;
  }
  try {
    return await sandbox.links();
  } finally {
    sandbox.close();
  }
}
