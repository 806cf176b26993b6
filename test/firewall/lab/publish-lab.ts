import { renderTable } from '../../../src/firewall/render.ts';
import type { FirewallElement, Guard } from '../../../src/host-state/types.ts';
import { Nft } from '../../../src/kernel/nft/nft.ts';
import { Place } from './place.ts';
import {
  addressOf,
  BRIDGES,
  CONTAINERS,
  ELEMENTS,
  gatewayOf,
  LAN,
  ON_LAN,
  type PlaceName,
  SHIM,
  text,
  VERSIONS,
} from './plan.ts';

const bits = { 4: 24, 6: 64 } as const;
const MACVLAN_MAC = '02:00:00:00:50:11';

/** A host that publishes ports of containers on its bridges and on its LAN, and a neighbour there. */
export class PublishLab {
  readonly host: Place;
  readonly nft: Nft;
  readonly #places = new Map<PlaceName, Place>();

  private constructor(host: Place) {
    this.host = host;
    this.nft = host.namespace.run(() => Nft.open());
  }

  static async create(): Promise<PublishLab> {
    const lab = new PublishLab(await Place.create('host'));
    await lab.#up();
    return lab;
  }

  at(name: PlaceName | 'host'): Place {
    const found = name === 'host' ? this.host : this.#places.get(name);
    if (!found) throw new Error(`no ${name}`);
    return found;
  }

  table(elements: readonly FirewallElement[] = ELEMENTS, guard?: Guard): Promise<void> {
    return this.nft.run(renderTable(elements, guard));
  }

  async close(): Promise<void> {
    await this.nft.close();
    await Promise.all([...this.#places.values(), this.host].map(place => place.close()));
  }

  async #up(): Promise<void> {
    const { namespace } = this.host;
    namespace.sysctl('ipv4/ip_forward', '1');
    namespace.sysctl('ipv6/conf/all/forwarding', '1');
    const bridges = Object.keys(BRIDGES) as (keyof typeof BRIDGES)[];
    await namespace.batch(
      'link set lo up',
      ...bridges.flatMap(name => [
        `link add ${name} type bridge`,
        `link set ${name} up`,
        ...VERSIONS.map(
          v => `addr add ${gatewayOf(name, v)}/${bits[v]} dev ${name} ${v === 6 ? 'nodad' : ''}`,
        ),
      ]),
    );
    for (const name of bridges) namespace.sysctl(`ipv4/conf/${name}/route_localnet`, '1');
    const plugged = Object.entries(CONTAINERS).map(async ([name, [bridge, number]]) => {
      const icc = bridge === 'tsb4' ? 'isolated on' : '';
      await this.#plug(name as PlaceName, BRIDGES[bridge], number, [
        `link set v-${name} master ${bridge}`,
        `link set v-${name} type bridge_slave hairpin on ${icc}`,
      ]);
    });
    await Promise.all(plugged);
    await this.#plug(
      'lan',
      LAN,
      ON_LAN.lan,
      VERSIONS.map(v => `addr add ${addressOf('host', v)}/${bits[v]} dev v-lan ${v === 6 ? 'nodad' : ''}`),
    );
    await this.#plugMacvlan();
    for (const place of this.#places.values()) await place.serve(80);
  }

  async #create(name: PlaceName): Promise<Place> {
    const place = await Place.create(name);
    this.#places.set(name, place);
    return place;
  }

  async #plug(name: PlaceName, net: number, number: number, hostSide: readonly string[]): Promise<void> {
    const { namespace } = await this.#create(name);
    await this.host.namespace.batch(
      `link add v-${name} type veth peer name eth0 netns ${namespace.path}`,
      `link set v-${name} up`,
      ...hostSide,
    );
    await namespace.batch(
      'link set lo up',
      'link set eth0 up',
      ...VERSIONS.flatMap(v => [
        `addr add ${text(v, net, number)}/${bits[v]} dev eth0 ${v === 6 ? 'nodad' : ''}`,
        `route add default via ${text(v, net, 1)}`,
      ]),
    );
  }

  /** Its gateway is the neighbour, not the host: what it answers would pass the host by. */
  async #plugMacvlan(): Promise<void> {
    const { namespace } = await this.#create('macvlan');
    await this.host.namespace.batch(
      `link add link v-lan name mv0 netns ${namespace.path} address ${MACVLAN_MAC} type macvlan mode bridge`,
      `link add link v-lan name ${SHIM} type macvlan mode bridge`,
    );
    for (const [setting, value] of [
      ['arp_filter', 1],
      ['arp_announce', 2],
      ['rp_filter', 0],
      ['route_localnet', 1],
    ]) {
      this.host.namespace.sysctl(`ipv4/conf/${SHIM}/${setting}`, `${value}`);
    }
    this.host.namespace.sysctl(`ipv6/conf/${SHIM}/proxy_ndp`, '1');
    this.host.namespace.sysctl(`ipv6/neigh/${SHIM}/proxy_delay`, '0');
    await namespace.batch(
      'link set lo up',
      'link set mv0 up',
      ...VERSIONS.flatMap(v => [
        `addr add ${addressOf('macvlan', v)}/${bits[v]} dev mv0 ${v === 6 ? 'nodad' : ''}`,
        `route add default via ${addressOf('lan', v)}`,
      ]),
    );
    await this.host.namespace.batch(
      `link set ${SHIM} up`,
      `neigh add proxy ${addressOf('host', 6)} dev ${SHIM}`,
      ...VERSIONS.flatMap(v => [
        `route add ${addressOf('macvlan', v)}/${v === 4 ? 32 : 128} dev ${SHIM} src ${addressOf('host', v)}`,
        `neigh add ${addressOf('macvlan', v)} lladdr ${MACVLAN_MAC} dev ${SHIM}`,
      ]),
    );
  }
}
