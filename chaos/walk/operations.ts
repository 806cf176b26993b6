import { haveContainer, haveNetwork, inhabitant, must, type Operation } from './operation.ts';
import { type ContainerPlan, KINDS, type Kind, NETWORKS } from './plans.ts';
import type { Scene } from './scene.ts';
import { STARTS } from './starts.ts';

/** Of the others, what a container's life consists of differs in no more than what is made for it. */
const WHOLE: readonly Kind[] = ['bridge', 'macvlan'];
/** Is on a network of its own first, and connected to another, to which its ports move: engines take it for the better way out by its name. */
const GUEST: ContainerPlan = {
  name: 'c2',
  network: NETWORKS.second.name,
  ports: [{ host: 8082, container: 80, protocol: 'tcp' }],
};

function create(kind: Kind): Operation {
  const plan = NETWORKS[kind];
  return {
    name: `network create, ${kind}`,
    async before(scene) {
      if (scene.world.networks.has(plan.name)) must(await scene.removeNetwork(plan));
    },
    act: scene => scene.create(plan),
  };
}

function removeNetwork(kind: Kind): Operation {
  return {
    name: `network rm, ${kind}`,
    before: scene => haveNetwork(scene, kind),
    act: scene => scene.removeNetwork(NETWORKS[kind]),
  };
}

function run(kind: Kind): Operation {
  return {
    name: `run, ${kind}`,
    async before(scene) {
      await haveNetwork(scene, kind);
      must(await scene.remove('c1'));
    },
    act: scene => scene.run(inhabitant(kind)),
  };
}

const remove = (kind: Kind): Operation => ({
  name: `rm -f, ${kind}`,
  before: scene => haveInhabitant(scene, kind),
  act: scene => scene.remove('c1'),
});

const stop = (kind: Kind): Operation => ({
  name: `stop, ${kind}`,
  before: scene => haveInhabitant(scene, kind),
  act: scene => scene.stop('c1'),
});

function start(kind: Kind): Operation {
  return {
    name: `start, ${kind}`,
    async before(scene) {
      await haveInhabitant(scene, kind);
      must(await scene.stop('c1'));
    },
    act: scene => scene.start('c1'),
  };
}

const restart = (kind: Kind): Operation => ({
  name: `restart, ${kind}`,
  before: scene => haveInhabitant(scene, kind),
  act: scene => scene.restart('c1'),
});

function connect(kind: Kind): Operation {
  const { name } = NETWORKS[kind];
  return {
    name: `network connect, ${kind}`,
    async before(scene) {
      await haveGuest(scene, kind);
      if (isGuestOn(scene, name)) must(await scene.disconnect(GUEST.name, name));
    },
    act: scene => scene.connect(GUEST.name, name),
  };
}

function disconnect(kind: Kind): Operation {
  const { name } = NETWORKS[kind];
  return {
    name: `network disconnect, ${kind}`,
    async before(scene) {
      await haveGuest(scene, kind);
      if (!isGuestOn(scene, name)) must(await scene.connect(GUEST.name, name));
    },
    act: scene => scene.disconnect(GUEST.name, name),
  };
}

async function haveInhabitant(scene: Scene, kind: Kind): Promise<void> {
  await haveNetwork(scene, kind);
  await haveContainer(scene, inhabitant(kind));
}

async function haveGuest(scene: Scene, kind: Kind): Promise<void> {
  await haveNetwork(scene, kind);
  await haveNetwork(scene, 'second');
  await haveContainer(scene, GUEST);
}

const isGuestOn = ({ world }: Scene, network: string): boolean =>
  world.containers.get(GUEST.name)?.attachments.has(network) === true;

export const OPERATIONS: readonly Operation[] = [
  ...WHOLE.flatMap(kind => [run(kind), remove(kind), connect(kind), disconnect(kind)]),
  ...STARTS,
  ...WHOLE.flatMap(kind => [stop(kind), start(kind), restart(kind), create(kind), removeNetwork(kind)]),
  ...KINDS.filter(kind => !WHOLE.includes(kind)).flatMap(kind => [
    run(kind),
    remove(kind),
    create(kind),
    removeNetwork(kind),
  ]),
];
