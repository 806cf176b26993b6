import type { WorldContainer } from '../world/types.ts';
import { complaint, succeeded } from './engine-calls.ts';
import { type Membership, memberships } from './memberships.ts';
import type { Stage } from './stage.ts';

interface Inspected {
  readonly Id: string;
  readonly State: { readonly Status: string };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly EndpointID: string }>> };
}

/**
 * Looks up in the engine what operations that were cut off have left, as a user would, and writes it into the world. What
 * was left half made is removed, as a user would.
 * @param engineDied whether the engine may have lost a container and not its endpoints
 * @returns what could not be removed, in the engine's words
 */
export async function adopt(stage: Stage, engineDied: boolean): Promise<string[]> {
  const { world, calls } = stage;
  const stuck: string[] = [];
  for (const network of [...world.networks.values()].filter(({ uncertain }) => uncertain)) {
    const found = await calls.call('GET', `/networks/${network.name}`);
    if (found.status === 404) world.networks.delete(network.name);
    else world.networks.set(network.name, { ...network, uncertain: false });
  }
  const uncertain = [...world.containers.values()].filter(container => container.uncertain);
  if (uncertain.length === 0 && !engineDied) return stuck;
  const members = await memberships(stage);
  for (const container of uncertain) {
    const complaints = await adoptContainer(stage, container, members, engineDied);
    if (complaints !== undefined) stuck.push(complaints);
  }
  if (engineDied) {
    // Asked anew: some have gone with the containers just removed.
    const phantoms = (await memberships(stage)).filter(({ container }) => container.startsWith('ep-'));
    for (const { network, name } of phantoms) {
      const left = await disconnect(stage, network, name);
      if (left !== undefined) stuck.push(left);
    }
  }
  return stuck;
}

async function adoptContainer(
  stage: Stage,
  container: WorldContainer,
  members: readonly Membership[],
  engineDied: boolean,
): Promise<string | undefined> {
  const { world, calls } = stage;
  const { name } = container;
  const found = await calls.call('GET', `/containers/${name}/json`);
  if (found.status === 404) {
    world.containers.delete(name);
    return undefined;
  }
  if (!succeeded(found)) return `docker inspect ${name}: ${complaint(found)}`;
  const { Id, State, NetworkSettings } = found.body as Inspected;
  const state = ({ running: 'running', exited: 'stopped' } as const)[State.Status];
  const recorded = NetworkSettings.Networks;
  const attachments = new Map(
    [...container.attachments].filter(([network]) => recorded[network] !== undefined),
  );
  for (const network of Object.keys(recorded)) {
    if (!attachments.has(network)) attachments.set(network, undefined);
  }
  let isHalf = state === undefined;
  for (const network of new Set([...Object.keys(recorded), ...members.map(member => member.network)])) {
    const member = members.find(one => one.network === network && one.container === Id);
    // An engine keeps in a container's record what it could not connect; one that was killed may have connected what it has no record of.
    const isWhole =
      state === 'running' ? recorded[network]?.EndpointID === member?.endpoint : member === undefined;
    if (isWhole) continue;
    if ((await disconnect(stage, network, name)) === undefined) attachments.delete(network);
    else isHalf = true;
  }
  // One that was killed while it disconnected a container has moved the interface out of it, and still counts it as connected.
  if (!isHalf && engineDied && state === 'running') {
    isHalf = !succeeded(await calls.call('POST', `/containers/${name}/restart?t=0`));
  }
  // Without the network that it was made on the engine would not start it.
  const [home] = container.attachments.keys();
  if (!isHalf && state !== undefined && attachments.has(home ?? '')) {
    world.containers.set(name, { ...container, state, attachments, uncertain: false });
    return undefined;
  }
  const removed = await calls.call('DELETE', `/containers/${name}?force=1&v=1`);
  if (!succeeded(removed) && removed.status !== 404) return `docker rm -f ${name}: ${complaint(removed)}`;
  world.containers.delete(name);
  return undefined;
}

/** @returns the engine's complaint, if it has one and knows of such an endpoint at all */
async function disconnect({ calls }: Stage, network: string, container: string): Promise<string | undefined> {
  const body = { Container: container, Force: true };
  const left = await calls.call('POST', `/networks/${network}/disconnect`, body);
  return succeeded(left) || left.status === 404
    ? undefined
    : `docker network disconnect -f ${network} ${container}: ${complaint(left)}`;
}
