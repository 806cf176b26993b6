import type { Random } from '../random.ts';
import { PLACES, type Place } from '../world/places.ts';
import type { WorldContainer, WorldNetwork } from '../world/types.ts';
import type { CampaignWorld } from '../world/world.ts';
import { connect, disconnect } from './attachments.ts';
import {
  killContainer,
  removeContainer,
  restartContainer,
  runContainer,
  startContainer,
  stopContainer,
} from './containers.ts';
import { createNetwork, removeNetwork } from './networks.ts';
import type { Operation } from './operation.ts';

/** How many containers there are at most. */
export interface Limits {
  readonly containers: number;
}

/** As with networks, no beginning of an id. */
const NAME = 'box';
const nameOf = (number: number): string => `${NAME}${number}`;

/** A way to find an operation, which may find none in the world as it is. */
type Finder = (world: CampaignWorld, random: Random, limits: Limits) => Operation | undefined;

const FINDERS: readonly (readonly [weight: number, finder: Finder])[] = [
  [10, create],
  [5, remove],
  [26, run],
  [14, onRunning(stopContainer)],
  [4, onRunning(killContainer)],
  [12, onStopped(startContainer)],
  [8, onRunning(restartContainer)],
  [16, onAny(removeContainer)],
  [22, attach],
  [16, detach],
];

/** The next thing to do: of what can be done now and concerns nothing that others are at. Undefined: nothing can. */
export function choose(world: CampaignWorld, random: Random, limits: Limits): Operation | undefined {
  for (let attempt = 0; attempt < 20; attempt++) {
    const found = random.weighted(FINDERS)(world, random, limits);
    if (found !== undefined) return found;
  }
  return undefined;
}

function create(world: CampaignWorld, random: Random): Operation | undefined {
  const place = random.tryPick(PLACES.filter(({ name }) => !world.networks.has(name) && world.isFree(name)));
  if (place === undefined) return undefined;
  const [mode, ipam] = [random.tryPick(place.modes), random.tryPick(place.ipams)];
  return mode === undefined || ipam === undefined ? undefined : createNetwork(place, mode, ipam);
}

function remove(world: CampaignWorld, random: Random): Operation | undefined {
  const idle = settledNetworks(world).filter(({ name }) => world.isFree(name) && world.on(name).length === 0);
  const network = random.tryPick(idle);
  return network === undefined ? undefined : removeNetwork(network.name);
}

function run(world: CampaignWorld, random: Random, limits: Limits): Operation | undefined {
  const numbers = Array.from({ length: limits.containers }, (_, k) => k);
  const number = random.tryPick(
    numbers.filter(k => !world.containers.has(nameOf(k)) && world.isFree(nameOf(k))),
  );
  const network = random.tryPick(settledNetworks(world).filter(({ name }) => world.isShareable(name)));
  if (number === undefined || network === undefined) return undefined;
  const address = random.chance(0.35) ? askedAddress(network.name, number) : undefined;
  return runContainer({
    name: nameOf(number),
    network: network.name,
    restarts: random.chance(0.4),
    ...(address === undefined ? {} : { address }),
    ...(network.mode !== 'bridge-internal' && random.chance(0.5) ? { hostPort: 20_000 + number } : {}),
  });
}

function attach(world: CampaignWorld, random: Random): Operation | undefined {
  const container = random.tryPick(settledContainers(world));
  if (container === undefined) return undefined;
  const there = [...container.attachments.keys()].map(name => world.networks.get(name));
  const fits = (network: WorldNetwork) =>
    world.isShareable(network.name) &&
    there.every(other => other?.subnet4 !== network.subnet4) &&
    (container.ports.length === 0 || publishesAlike(network, there));
  const network = random.tryPick(settledNetworks(world).filter(fits));
  if (network === undefined || there.length >= 3) return undefined;
  const number = Number(container.name.slice(NAME.length));
  const address = random.chance(0.35) ? askedAddress(network.name, number) : undefined;
  return connect(container.name, network.name, address);
}

/**
 * Which network a container publishes by is the engine's choice: all that it may choose have to be of one kind. Nor may it be on a LAN
 * besides: it would answer the LAN's clients past the host.
 */
function publishesAlike(network: WorldNetwork, others: readonly (WorldNetwork | undefined)[]): boolean {
  const kind = kindOf(network);
  return kind === 'internal' || others.every(other => [kind, 'internal'].includes(kindOf(other)));
}

function kindOf(network: WorldNetwork | undefined): string {
  if (network?.mode === 'bridge-internal') return 'internal';
  return network?.mode.startsWith('macvlan') === true ? network.mode : 'bridge';
}

function detach(world: CampaignWorld, random: Random): Operation | undefined {
  const container = random.tryPick(
    settledContainers(world).filter(({ attachments }) => attachments.size > 1),
  );
  if (container === undefined) return undefined;
  // The engine starts no container without the network that it was made on.
  const [, ...names] = container.attachments.keys();
  const network = random.tryPick(names.filter(name => world.isShareable(name)));
  return network === undefined ? undefined : disconnect(container.name, network, random.chance(0.3));
}

function onRunning(make: (name: string) => Operation): Finder {
  return onSome(make, ({ state }) => state === 'running');
}

function onStopped(make: (name: string) => Operation): Finder {
  return onSome(make, ({ state }) => state === 'stopped');
}

function onAny(make: (name: string) => Operation): Finder {
  return onSome(make, () => true);
}

function onSome(make: (name: string) => Operation, fits: (container: WorldContainer) => boolean): Finder {
  return (world, random) => {
    const container = random.tryPick(settledContainers(world).filter(fits));
    return container === undefined ? undefined : make(container.name);
  };
}

const settledContainers = (world: CampaignWorld): WorldContainer[] =>
  [...world.containers.values()].filter(({ name, uncertain }) => !uncertain && world.isFree(name));

const settledNetworks = (world: CampaignWorld): WorldNetwork[] =>
  [...world.networks.values()].filter(({ uncertain }) => !uncertain);

/** The address that a container asks for where it asks for one: no other container asks for it. */
function askedAddress(network: string, container: number): string | undefined {
  const place: Place | undefined = PLACES.find(({ name }) => name === network);
  return place === undefined ? undefined : `${place.asked[0]}.${place.asked[1] + container}`;
}
