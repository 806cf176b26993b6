import type { Host } from '../../test/lab/host.ts';
import type { Fault, FaultTarget, World } from '../world/types.ts';
import { oneOf, restartContainers } from './ask.ts';

/** What a card is known by, beside its cable. */
interface Card {
  readonly name: string;
  readonly nic: number;
  readonly mac: string;
  /** Lines of `ip -batch` that give it its addresses and default routes again. */
  readonly settings: readonly string[];
}

/** The cable of a card is pulled, and plugged in again. */
export const cableOut: Fault = {
  kind: 'cable-out',
  strike: async target => {
    const { host } = target;
    const { nic } = await aCard(target);
    await host.cut(nic);
    return () => host.heal(nic);
  },
};

/**
 * A parent is set down, and up again. The kernel takes its routes and IPv6 addresses along, which are the administrator's: they
 * come back at the end.
 */
export const parentDown: Fault = {
  kind: 'parent-down',
  strike: async target => {
    const { host } = target;
    const card = await aCard(target);
    await host.exec('ip', ['link', 'set', card.name, 'down']);
    return () => configure(host, card);
  },
};

/**
 * A parent vanishes, and one of the same name comes in its place, as when its driver is loaded again. The kernel deletes every
 * macvlan link on it, also inside containers: those that run have to be restarted, for nobody can put a link into them.
 */
export const parentDeleted: Fault = {
  kind: 'parent-deleted',
  strike: async target => {
    const { host, world } = target;
    const card = await aCard(target);
    await host.exec('ip', ['link', 'delete', card.name]);
    return async () => {
      await host.plugInAgain(card.nic, card.mac);
      await configure(host, card);
      await restartContainers(host, runningOn(world, card.name));
    };
  },
};

export const LAN_FAULTS: readonly Fault[] = [cableOut, parentDown, parentDeleted];

/** One of the host's cards, with what it is set to at present. */
async function aCard(target: FaultTarget): Promise<Card> {
  const { host } = target;
  const { stdout } = await host.sh(
    `cd /sys/class/net; echo eth*; ip -j addr show; ip -4 -j route show default; ip -6 -j route show default`,
  );
  const [names = '', addresses = '[]', ...routes] = String(stdout).split('\n');
  const name = oneOf(target, names.split(' ')) ?? 'eth0';
  const all = JSON.parse(addresses) as {
    ifname: string;
    address: string;
    addr_info: { local: string; prefixlen: number; scope: string }[];
  }[];
  const link = all.find(({ ifname }) => ifname === name);
  const defaults = routes
    .filter(line => line !== '')
    .flatMap(line => JSON.parse(line) as { gateway: string; dev: string }[])
    .filter(({ dev }) => dev === name);
  return {
    name,
    nic: Number(name.slice('eth'.length)),
    mac: link?.address ?? '',
    settings: [
      ...(link?.addr_info ?? [])
        .filter(({ scope }) => scope === 'global')
        .map(({ local, prefixlen }) => {
          const nodad = local.includes(':') ? ' nodad' : '';
          return `addr replace ${local}/${prefixlen} dev ${name}${nodad}`;
        }),
      ...defaults.map(({ gateway }) => {
        const destination = gateway.includes(':') ? '::/0' : 'default';
        return `route replace ${destination} via ${gateway} dev ${name}`;
      }),
    ],
  };
}

async function configure(host: Host, { name, settings }: Card): Promise<void> {
  const lines = [`link set ${name} up`, ...settings];
  await host.exec('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` });
  await host.carries(Number(name.slice('eth'.length)));
}

const runningOn = (world: World, parent: string): string[] =>
  [...world.containers.values()]
    .filter(({ state, attachments }) => {
      const isOn = [...attachments.keys()].some(network => world.networks.get(network)?.parent === parent);
      return state === 'running' && isOn;
    })
    .map(({ name }) => name);
