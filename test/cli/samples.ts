import type { ListedPort } from '../../src/protocol/admin-router.ts';

/** A port of a container on a bridge network. */
export const PORT: ListedPort = {
  networkId: 'a'.repeat(64),
  network: 'web',
  endpointId: '1'.repeat(64),
  mode: 'bridge',
  protocol: 'tcp',
  hostAddress: '0.0.0.0',
  hostPort: 8080,
  containerAddress: '198.18.0.2',
  containerPort: 80,
  at: 'host',
};
