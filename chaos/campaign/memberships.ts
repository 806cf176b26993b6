import type { Stage } from './stage.ts';

/** An endpoint as `docker network inspect` lists it. */
export interface Membership {
  readonly network: string;
  /** Its id; `ep-` and the endpoint's where the engine has no such container any more. */
  readonly container: string;
  /** The container's name. */
  readonly name: string;
  readonly endpoint: string;
}

interface Inspected {
  readonly Containers?: Readonly<Record<string, { readonly Name: string; readonly EndpointID: string }>>;
}

/** All endpoints that the engine has on the world's networks. */
export async function memberships({ world, calls }: Stage): Promise<Membership[]> {
  const networks = [...world.networks.keys()];
  const answers = await Promise.all(networks.map(name => calls.call('GET', `/networks/${name}`)));
  return answers.flatMap(({ body }, at) =>
    Object.entries((body as Inspected).Containers ?? {}).map(([container, { Name, EndpointID }]) => ({
      network: networks[at] ?? '',
      container,
      name: Name,
      endpoint: EndpointID,
    })),
  );
}
