import type { EngineAttachment, EngineContainer, EngineView } from '../engine/types.ts';
import type { NamespaceView } from '../kernel/types.ts';
import { type PromisedNetwork, promiseOf } from './network.ts';

/** One running container on one network of tsnet. */
export interface PromisedEndpoint extends EngineAttachment {
  readonly container: EngineContainer;
  readonly on: PromisedNetwork;
}

/** What tsnet is to do for all that the engine has. */
export interface Promises {
  readonly networks: readonly PromisedNetwork[];
  readonly endpoints: readonly PromisedEndpoint[];
}

export function promisesOf(engine: EngineView, host: NamespaceView): Promises {
  const networks = engine.networks
    .filter(({ driver }) => driver.split(':')[0] === 'tsnet')
    .map(network => promiseOf(network, host));
  const byId = new Map(networks.map(network => [network.id, network]));
  const endpoints = engine.containers
    .filter(({ running }) => running)
    .flatMap(container =>
      container.attachments.flatMap(attachment => {
        const on = byId.get(attachment.networkId);
        return on === undefined ? [] : [{ ...attachment, container, on }];
      }),
    );
  return { networks, endpoints };
}

/** How violations name it. */
export const nameOf = ({ container, on }: PromisedEndpoint): string => `${container.name} on ${on.name}`;
