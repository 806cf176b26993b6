import { succeeded } from '../campaign/engine-calls.ts';
import type { Operation } from './operation.ts';

/** `docker network connect`, of a container that runs or does not. @param address bare; absent: the IPAM chooses */
export function connect(container: string, network: string, address?: string): Operation {
  return {
    kind: 'connect',
    text: `docker network connect ${address === undefined ? '' : `--ip ${address} `}${network} ${container}`,
    exclusive: [container],
    shared: [network],
    async perform(calls, world) {
      const before = world.containers.get(container);
      if (before === undefined) throw new Error(`${container} is no container of the world`);
      const attachments = new Map(before.attachments).set(network, address);
      world.containers.set(container, { ...before, attachments, uncertain: true });
      const done = await calls.call('POST', `/networks/${network}/connect`, {
        Container: container,
        EndpointConfig: address === undefined ? {} : { IPAMConfig: { IPv4Address: address } },
      });
      if (!succeeded(done)) return done;
      world.containers.set(container, { ...before, attachments });
      return undefined;
    },
  };
}

/** `docker network disconnect`. */
export function disconnect(container: string, network: string, force: boolean): Operation {
  return {
    kind: 'disconnect',
    text: `docker network disconnect ${force ? '-f ' : ''}${network} ${container}`,
    exclusive: [container],
    shared: [network],
    async perform(calls, world) {
      const before = world.containers.get(container);
      if (before === undefined) throw new Error(`${container} is no container of the world`);
      world.doubt(container);
      const done = await calls.call('POST', `/networks/${network}/disconnect`, {
        Container: container,
        Force: force,
      });
      if (!succeeded(done)) return done;
      const attachments = new Map(before.attachments);
      attachments.delete(network);
      world.containers.set(container, { ...before, attachments });
      return undefined;
    },
  };
}
