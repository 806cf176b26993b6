import { readFileSync } from 'node:fs';
import type { Host } from '../../../test/lab/host.ts';
import type { EngineContainer } from '../engine/types.ts';
import { readNamespaces } from './read-namespaces.ts';
import { readProcesses } from './read-processes.ts';
import type { KernelView, NamespaceView } from './types.ts';

/** Path on the machine of the host's own network namespace. */
export const hostNamespacePath = (host: Host): string => `/proc/${host.pid}/ns/net`;

/** Path on the machine of a container's. @param pid of its first process, in the host's numbers */
export const containerNamespacePath = (host: Host, { pid }: Pick<EngineContainer, 'pid'>): string =>
  `/proc/${host.pid}/root/proc/${pid}/ns/net`;

/**
 * Lists what a host's kernel has.
 * @param containers those that run, with a namespace of their own
 * @param lan path of another namespace's file, which is listed as well
 * @throws Error when the host's own namespace cannot be listed
 */
export async function readKernel(
  host: Host,
  containers: readonly EngineContainer[],
  lan: string | undefined,
): Promise<{ kernel: KernelView; lan: NamespaceView | undefined }> {
  const paths = containers.map(container => containerNamespacePath(host, container));
  // Half of them at a time, on two processors.
  const half = Math.ceil(paths.length / 2);
  const [[own, ofLan], first, second, chain4, chain6] = await Promise.all([
    readNamespaces([hostNamespacePath(host), ...(lan === undefined ? [] : [lan])]),
    readNamespaces(paths.slice(0, half)),
    readNamespaces(paths.slice(half)),
    dockerUser(host, 'iptables'),
    dockerUser(host, 'ip6tables'),
  ]);
  if (own === undefined) throw new Error(`the network namespace of ${host.name} cannot be listed`);
  const views = [...first, ...second];
  const kernel = {
    host: own,
    containers: new Map(
      containers.flatMap(({ name }, at): [string, NamespaceView][] => {
        const view = views[at];
        return view === undefined ? [] : [[name, view]];
      }),
    ),
    dockerUser: { 4: chain4, 6: chain6 },
    hostNamespace: own.id,
    mountedNamespaces: mountedNamespaces(host),
    processes: readProcesses(host.pid),
  };
  return { kernel, lan: ofLan };
}

async function dockerUser(host: Host, program: string): Promise<string[] | undefined> {
  const { stdout, exitCode } = await host.exec(program, ['-S', 'DOCKER-USER'], { reject: false });
  return exitCode === 0 ? String(stdout).split('\n') : undefined;
}

/** Of the host's mounts those that keep a network namespace. */
function mountedNamespaces(host: Host): Map<string, string> {
  const lines = readFileSync(`/proc/${host.pid}/mountinfo`, 'utf8').split('\n');
  return new Map(
    lines.flatMap((line): [string, string][] => {
      const [, , , root = '', path = ''] = line.split(' ');
      return root.startsWith('net:[') ? [[path, root]] : [];
    }),
  );
}
