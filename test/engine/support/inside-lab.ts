import { expect } from 'vitest';
import type { Endpoint } from '../../../src/model.ts';
import { createNetwork, ownElements } from './bridge-lab.ts';
import { networkId, store } from './host-view.ts';
import { inContainer, ipJson, markedRoutes, startContainer } from './macvlan-lab.ts';
import type { EngineGeneration, TsnetHost } from './tsnet-host.ts';

/** Name of the interface that tsnet makes first in containers in which the engine counts as well. */
export const BEYOND = 'eth100';

/** Whether the sandbox is there when a container that starts is joined to its networks. */
export const seesSandboxAtStart = (engine: EngineGeneration): boolean => Number.parseFloat(engine) >= 28;

/** An interface of a container, as iproute2 has it. */
export interface Interface {
  readonly ifindex: number;
  readonly ifname: string;
  readonly address: string;
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly ifalias?: string;
  readonly addr_info: readonly InterfaceAddress[];
}

interface InterfaceAddress {
  readonly family: 'inet' | 'inet6';
  readonly local: string;
  readonly prefixlen: number;
  readonly scope: string;
  readonly broadcast?: string;
  readonly nodad?: boolean;
}

/**
 * Starts container `c1` on a network `base` of both families: up to 25 the engine takes IPv6 from a container whose first
 * network has none.
 */
export async function startOnBase(host: TsnetHost): Promise<void> {
  await createNetwork(host, 'base', '--subnet', '198.18.8.0/24', '--ipv6', '--subnet', '2001:db8:8::/64');
  await startContainer(host, 'c1', 'base');
}

/** The interfaces of a running container but for its loopback. */
export async function interfacesIn(host: TsnetHost, container: string): Promise<Interface[]> {
  return addressRows(host, await host.docker('inspect', '-f', '{{.State.Pid}}', container));
}

async function addressRows(host: TsnetHost, pid: string): Promise<Interface[]> {
  const { stdout } = await host.host.exec('nsenter', ['-t', pid, '-n', 'ip', '-j', 'addr']);
  return (JSON.parse(String(stdout)) as Interface[]).filter(row => row.ifname !== 'lo');
}

/** Their names, sorted. */
export const namesIn = async (host: TsnetHost, container: string): Promise<string[]> =>
  (await interfacesIn(host, container)).map(({ ifname }) => ifname).sort();

/** A container's interface on each network that the engine says it is on, found by its address. */
async function interfacesBy(host: TsnetHost, container: string): Promise<Record<string, Interface>> {
  const format = '{{.State.Pid}} {{json .NetworkSettings.Networks}}';
  const said = await host.docker('inspect', '-f', format, container);
  const [pid = ''] = said.split(' ', 1);
  const networks = JSON.parse(said.slice(pid.length)) as Record<string, Record<string, string>>;
  const rows = await addressRows(host, pid);
  return Object.fromEntries(
    Object.entries(networks).map(([network, { IPAddress, GlobalIPv6Address }]) => {
      const found = rows.filter(({ addr_info }) =>
        addr_info.some(({ local }) => local === IPAddress || local === GlobalIPv6Address),
      );
      expect(found, `interfaces of ${container} on ${network}`).toHaveLength(1);
      return [network, found[0] as Interface];
    }),
  );
}

/** The one interface that has the address that the engine says the container has on a network. */
export async function interfaceOn(host: TsnetHost, container: string, network: string): Promise<Interface> {
  const found = (await interfacesBy(host, container))[network];
  if (found === undefined) throw new Error(`${container} is not on ${network}`);
  return found;
}

/**
 * Asserts that a container has an interface on each of its networks, no other, and that it reaches the first address of
 * each network by it.
 * @returns the interfaces' names by network
 */
export async function namesBy(host: TsnetHost, container: string): Promise<Record<string, string>> {
  const found = Object.entries(await interfacesBy(host, container));
  const names = Object.fromEntries(found.map(([network, { ifname }]) => [network, ifname]));
  const pings = found.map(([network, { ifname, addr_info }]) => {
    const first = addr_info.find(({ family }) => family === 'inet')?.local.replace(/\d+$/, '1');
    return `busybox ping -c 1 -W 2 -I ${ifname} ${first} > /dev/null || echo ${network}`;
  });
  expect(await inContainer(host, container, 'sh', '-c', pings.join('\n')), `${container} reaches not`).toBe(
    '',
  );
  expect(await namesIn(host, container)).toEqual(Object.values(names).sort());
  return names;
}

/** The endpoint of a container on a network of tsnet, as tsnet has it. */
async function endpointOf(host: TsnetHost, container: string, network: string): Promise<Endpoint> {
  const id = String((await host.attachment(container, network))['EndpointID']);
  const endpoint = (await store(host)).endpoints.find(one => one.id === id);
  if (endpoint === undefined) throw new Error(`${container} has no endpoint on ${network}`);
  return endpoint;
}

/** Under what name tsnet has made a container's interface on a network; undefined where the engine moved it. */
export const madeAs = async (
  host: TsnetHost,
  container: string,
  network: string,
): Promise<string | undefined> => (await endpointOf(host, container, network)).inside;

/** `docker network connect` with what its command line has no word for. @param config EndpointConfig of the API */
export async function connectWith(
  host: TsnetHost,
  network: string,
  container: string,
  config: object,
): Promise<{ status: number; body: unknown }> {
  return host.host.api('POST', `/networks/${await networkId(host, network)}/connect`, {
    Container: container,
    EndpointConfig: config,
  });
}

/** Connects with options for the driver, which has to succeed. */
export async function connectAs(
  host: TsnetHost,
  network: string,
  container: string,
  options: Record<string, string>,
): Promise<void> {
  expect(await connectWith(host, network, container, { DriverOpts: options })).toMatchObject({ status: 200 });
}

/** Everything of a host that a container could leave behind, what bears no mark included. */
export async function everything(host: TsnetHost): Promise<Record<string, readonly string[]>> {
  const { networks, endpoints } = await store(host);
  return {
    links: (await ipJson(host.host, 'link')).map(link => String(link['ifname'])).sort(),
    routes: (await markedRoutes(host)).sort(),
    firewall: await ownElements(host),
    networks: networks.map(({ id }) => id).sort(),
    endpoints: endpoints.map(({ id }) => id).sort(),
  };
}

/** What tsnet's log says of warnings and errors, from a point of it on. @param from length of the log then */
export const complaints = (host: TsnetHost, from = 0): string[] =>
  host
    .log()
    .slice(from)
    .split('\n')
    .filter(line => /^\S+ (WARN|ERROR) /.test(line));

/** All orders of some things. */
export function orders<T>(things: readonly T[]): T[][] {
  if (things.length < 2) return [[...things]];
  return things.flatMap((first, at) =>
    orders([...things.slice(0, at), ...things.slice(at + 1)]).map(rest => [first, ...rest]),
  );
}

/** Deals things to tasks, a few at a time: two cores do not start two dozen containers at once. */
export async function inGroups<T>(
  things: readonly T[],
  size: number,
  task: (thing: T) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < things.length; at += size)
    await Promise.all(things.slice(at, at + size).map(thing => task(thing)));
}
