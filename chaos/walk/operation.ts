import { type ContainerPlan, type Kind, NETWORKS } from './plans.ts';
import type { Answer, Scene } from './scene.ts';

/** Something that is done, in which tsnet is to die at each of its points. */
export interface Operation {
  readonly name: string;
  /** Arguments that the engine has to run with. */
  readonly engine?: readonly string[];
  /** Brings the host to where it begins from, wherever it is. @throws Error when docker refuses */
  readonly before: (scene: Scene) => Promise<void>;
  readonly act: (scene: Scene) => Promise<Answer>;
  /** What is asked when it was refused, and has to succeed. Absent: the same again. */
  readonly again?: (scene: Scene) => Promise<Answer>;
}

/** A container on a network that publishes its port wherever that is possible. */
export const inhabitant = (kind: Kind, name = 'c1', host = 8080): ContainerPlan => ({
  name,
  network: NETWORKS[kind].name,
  ports: kind === 'internal' ? [] : [{ host, container: 80, protocol: 'tcp' }],
});

export async function haveNetwork(scene: Scene, kind: Kind): Promise<void> {
  const plan = NETWORKS[kind];
  if (!scene.world.networks.has(plan.name)) must(await scene.create(plan));
}

/** Has it run, whatever it did before. */
export async function haveContainer(scene: Scene, plan: ContainerPlan): Promise<void> {
  const there = scene.world.containers.get(plan.name);
  if (there === undefined) must(await scene.run(plan));
  else if (there.state === 'stopped') must(await scene.start(plan.name));
}

/** @throws Error with docker's words */
export function must({ ok, words }: Answer): void {
  if (!ok) throw new Error(words);
}
