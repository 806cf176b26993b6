import { familyOf, isWithin } from '../addresses.ts';
import type { EngineContainer } from '../engine/types.ts';
import type { NamespaceView } from '../kernel/types.ts';
import type { Look } from '../look.ts';
import type { PromisedEndpoint } from '../promise/endpoint.ts';
import { isBridge } from '../promise/network.ts';
import { isAt, isWayOut, type PromisedPort, publishedOnHost, publishedOnOwn } from '../promise/published.ts';
import { ownAddresses } from '../promise/shim.ts';
import type { Reach } from './types.ts';

/** The ports that are published on the host at present. */
export const promisedPorts = ({ promises, kernel }: Look): PromisedPort[] =>
  promises.endpoints
    .filter(endpoint => isWayOut(endpoint, kernel.containers.get(endpoint.container.name)))
    .flatMap(publishedOnHost);

/** Published ports: of TCP those of the world's containers, which say their names on port 80; of UDP those that are translated. */
export function portsAnswer(look: Look): Reach[] {
  const { target } = look;
  const isServed = ({ name }: EngineContainer, port: number): boolean =>
    port === 80 && target.world.containers.get(name)?.uncertain === false;
  const onHost = promisedPorts(look)
    .filter(({ hostPort }) => hostPort !== 0)
    .filter(({ protocol, endpoint, port, target }) =>
      // What tsnet passes on itself it does not refuse.
      protocol === 'udp' ? target !== undefined : protocol === 'tcp' && isServed(endpoint.container, port),
    )
    .flatMap(port => {
      const open = port.endpoint.on.allowFrom.length === 0 && !port.endpoint.on.ufw;
      return clients(look, port, open).map(
        (way): Reach => ({
          ...way,
          ...(port.protocol === 'udp' ? knock(port.endpoint) : answer(port.endpoint)),
          port: port.hostPort,
        }),
      );
    });
  const onOwn = look.promises.endpoints.flatMap(endpoint =>
    publishedOnOwn(endpoint)
      .filter(({ protocol, to }) => protocol === 'tcp' && isServed(endpoint.container, to))
      .filter(({ address }) => look.lan?.links.some(link => isNear(link, endpoint, address)))
      .map(({ address, from }): Reach => ({ ...answer(endpoint), from: 'lan', address, port: from })),
  );
  return [...onHost, ...onOwn];
}

const answer = ({ container, on }: PromisedEndpoint) => ({
  kind: 'ask' as const,
  expected: true,
  rule: 'port-unreachable',
  subject: `${container.name} on ${on.name}`,
  name: container.name,
});

/** Nothing of the world's listens on UDP. */
const knock = ({ container, on }: PromisedEndpoint) => ({
  kind: 'knock' as const,
  expected: true,
  rule: 'port-unreachable',
  subject: `${container.name} on ${on.name}`,
});

const isNear = (link: NamespaceView['links'][number], { on }: PromisedEndpoint, address: string): boolean =>
  ownAddresses(link, familyOf(address)).some(own =>
    on.subnets.some(({ subnet }) => isWithin(subnet, own) && isWithin(subnet, address)),
  );

/** From where a port of the host is to be reached, and by which of the host's addresses. */
function clients(
  look: Look,
  { endpoint, hostAddress, protocol }: PromisedPort,
  open: boolean,
): Pick<Reach, 'from' | 'address'>[] {
  const outward = isMember(look, endpoint)
    ? []
    : hostAddresses(look.kernel.host, familyOf(hostAddress)).filter(address => isAt(hostAddress, address));
  const loopback = familyOf(hostAddress) === 4 ? '127.0.0.1' : '::1';
  const isRelayed = protocol === 'udp' && loopback === '::1';
  const [first] = outward;
  return [
    // A foreign bridge is used as it is: packets from 127.0.0.1 do not leave by it.
    ...(isAt(hostAddress, loopback) && endpoint.on.kind !== 'foreign' && !isRelayed
      ? [{ from: 'host', address: loopback }]
      : []),
    ...outward.map(address => ({ from: 'host', address })),
    ...(open && look.lan !== undefined ? outward.map(address => ({ from: 'lan', address })) : []),
    ...(open && first !== undefined && familyOf(first) === 4
      ? [neighbour(look, endpoint)].flat().map(name => ({ from: `container ${name}`, address: first }))
      : []),
  ];
}

/**
 * Whether a container is on the LAN besides: it answers clients with addresses there directly then, and the host that has translated
 * what they said does not see the answer. That is so with every driver.
 */
const isMember = ({ promises }: Look, { container, on }: PromisedEndpoint): boolean =>
  isBridge(on) && promises.endpoints.some(one => one.container === container && one.on.kind === 'lan');

/** A container of another network that has its way out by a bridge of tsnet's. */
const neighbour = ({ promises, kernel }: Look, { container, on }: PromisedEndpoint): string | [] =>
  promises.endpoints.find(
    one =>
      one.on !== on &&
      one.container !== container &&
      one.on.kind === 'own' &&
      !one.on.internal &&
      one.on.gatewayMode[4] === 'nat' &&
      one.container.attachments.length === 1 &&
      isWayOut(one, kernel.containers.get(one.container.name)),
  )?.container.name ?? [];

/** Of the link that the host has its way out by. */
function hostAddresses(host: NamespaceView, family: 4 | 6): string[] {
  const way = host.routes.find(route => route.family === family && route.destination === 'default')?.link;
  const link = host.links.find(({ name }) => name === way);
  return link === undefined ? [] : ownAddresses(link, family).slice(0, 1);
}
