import { succeeded } from '../campaign/engine-calls.ts';
import type { WorldContainer } from '../world/types.ts';
import type { CampaignWorld } from '../world/world.ts';
import type { Operation } from './operation.ts';

/** Serves its own name on port 80; as process 1 it would not hear a SIGTERM. */
const command = (name: string) => [
  'sh',
  '-c',
  'mkdir -p /srv && echo "$0" > /srv/index.html && exec httpd -f -p 80 -h /srv',
  name,
];

/** What `docker run` is asked for. */
export interface Wanted {
  readonly name: string;
  readonly network: string;
  /** Bare; absent: the IPAM chooses. */
  readonly address?: string;
  readonly restarts: boolean;
  /** Of the host; leads to port 80 over TCP. */
  readonly hostPort?: number;
}

/** `docker run -d`. */
export function runContainer({ name, network, address, restarts, hostPort }: Wanted): Operation {
  const container: WorldContainer = {
    name,
    state: 'running',
    restarts,
    attachments: new Map([[network, address]]),
    ports: hostPort === undefined ? [] : [{ host: hostPort, container: 80, protocol: 'tcp' }],
    uncertain: false,
  };
  const endpoint = address === undefined ? {} : { IPAMConfig: { IPv4Address: address } };
  const body = {
    Image: 'busybox',
    Cmd: command(name),
    StopTimeout: 0,
    ExposedPorts: { '80/tcp': {} },
    HostConfig: {
      NetworkMode: network,
      RestartPolicy: { Name: restarts ? 'always' : 'no' },
      PortBindings: hostPort === undefined ? {} : { '80/tcp': [{ HostPort: String(hostPort) }] },
    },
    NetworkingConfig: { EndpointsConfig: { [network]: endpoint } },
  };
  const flags = [
    address === undefined ? '' : `--ip ${address} `,
    restarts ? '--restart always ' : '',
    hostPort === undefined ? '' : `-p ${hostPort}:80 `,
  ];
  return {
    kind: 'run',
    text: `docker run -d --network ${network} ${flags.join('')}--name ${name} busybox httpd`,
    exclusive: [name],
    shared: [network],
    async perform(calls, world) {
      world.containers.set(name, { ...container, uncertain: true });
      const created = await calls.call('POST', `/containers/create?name=${name}`, body);
      if (!succeeded(created)) return created;
      const started = await calls.call('POST', `/containers/${name}/start`);
      if (!succeeded(started)) return started;
      world.containers.set(name, container);
      return undefined;
    },
  };
}

/** What one call does to a container that is there. */
function change(
  kind: string,
  name: string,
  [method, path]: readonly [string, string],
  after: (container: WorldContainer) => WorldContainer | undefined,
  words = `docker ${kind} ${name}`,
): Operation {
  return {
    kind,
    text: words,
    exclusive: [name],
    shared: [],
    async perform(calls, world: CampaignWorld) {
      const before = world.containers.get(name);
      if (before === undefined) throw new Error(`${name} is no container of the world`);
      world.doubt(name);
      const done = await calls.call(method, path);
      if (!succeeded(done)) return done;
      const now = after(before);
      if (now === undefined) world.containers.delete(name);
      else world.containers.set(name, now);
      return undefined;
    },
  };
}

const stopped = (container: WorldContainer): WorldContainer => ({ ...container, state: 'stopped' });
const running = (container: WorldContainer): WorldContainer => ({ ...container, state: 'running' });

export const stopContainer = (name: string): Operation =>
  change('stop', name, ['POST', `/containers/${name}/stop?t=0`], stopped);

/** Its process ends, as of itself; a container that starts again by itself does not when it was killed. */
export const killContainer = (name: string): Operation =>
  change('kill', name, ['POST', `/containers/${name}/kill`], stopped);

export const startContainer = (name: string): Operation =>
  change('start', name, ['POST', `/containers/${name}/start`], running);

export const restartContainer = (name: string): Operation =>
  change('restart', name, ['POST', `/containers/${name}/restart?t=0`], running);

export const removeContainer = (name: string): Operation =>
  change('rm', name, ['DELETE', `/containers/${name}?force=1&v=1`], () => undefined, `docker rm -f ${name}`);
