import type { Stage } from './stage.ts';

/** What the engine writes when it could not publish a container's ports: of a container that stays, it tells nobody else. */
const UNPUBLISHED = /driver failed programming external connectivity on endpoint ([^\s:]+)/g;

/**
 * Does what a user has to do because the engine does not:
 * - An engine whose call was cut off repeats it with an empty body (moby#35459), and is refused. Where it was to publish a container's
 *   ports by another network than before, it writes that into its log and goes on without them: the container has to be restarted.
 * - An engine that ended while it started a container, asked to or not, forgets what it has started of it: the shim and its process stay.
 * @param from where the engine's log began when the operations did, in characters
 * @returns what was done, in words
 */
export async function mend(stage: Stage, from: number, engineEnded: boolean): Promise<string[]> {
  const { host, world, calls } = stage;
  const done: string[] = [];
  const names = new Set([...host.engineOutput().slice(from).matchAll(UNPUBLISHED)].map(([, name]) => name));
  for (const { name, state, ports } of world.containers.values()) {
    if (!names.has(name) || state !== 'running' || ports.length === 0) continue;
    await calls.call('POST', `/containers/${name}/restart?t=0`);
    done.push(`restarted ${name}, whose ports were not published`);
  }
  if (engineEnded) {
    const { stdout } = await host.sh(END_FORGOTTEN);
    done.push(
      ...String(stdout)
        .split('\n')
        .filter(line => line !== ''),
    );
  }
  return done;
}

/** Ends shims, and with them what they look after, of containers that the engine does not run. */
const END_FORGOTTEN = `
running=$(docker ps -q --no-trunc)
for shim in $(pgrep -f '^/[^ ]*containerd-shim|^containerd-shim' || true); do
  id=$(tr '\\0' '\\n' < /proc/$shim/cmdline | sed -n '/^-id$/{n;p}') || continue
  case "$running" in *"$id"*) continue ;; esac
  children=$(pgrep -P $shim || true)
  kill -9 $children $shim 2> /dev/null || true
  echo "ended what the engine has forgotten of container $id"
done
`;
