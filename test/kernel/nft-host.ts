import type { FirewallElement } from '../../src/host-state/types.ts';
import { type NftNamespace, nftNamespace } from './nft-namespace.ts';

/** Subnet number of each bridge: 198.18.N.0/24 and 2001:db8:0:N::/64, the host being 1. */
const BRIDGES = { tsb1: 1, tsb2: 2, tsb3: 3, tsb4: 4, fbr0: 9 } as const;
const LAN = 50;

/** Containers, by bridge and host number. `o` lives on the foreign bridge but is none of tsnet's. */
const PLACES = {
  a: ['tsb1', 11],
  b: ['tsb1', 12],
  other: ['tsb2', 11],
  internalA: ['tsb3', 11],
  internalB: ['tsb3', 12],
  loneA: ['tsb4', 11],
  loneB: ['tsb4', 12],
  guest: ['fbr0', 11],
  o: ['fbr0', 12],
} as const;

export type Place = keyof typeof PLACES | 'lan';
export const VERSIONS = [4, 6] as const;
export type Version = (typeof VERSIONS)[number];

const text = (version: Version, net: number, host: number): string =>
  version === 4 ? `198.18.${net}.${host}` : `2001:db8:0:${net}::${host}`;

const pair = (set: FirewallElement['set'], ...key: string[]): FirewallElement => ({ set, key });

export const ELEMENTS: readonly FirewallElement[] = [
  ...(['tsb1', 'tsb2', 'tsb3', 'tsb4'] as const).map(name => pair('bridges', name)),
  ...Object.keys(BRIDGES).map(name => pair('same_bridge', name, name)),
  pair('internal', 'tsb3'),
  pair('no_icc', 'tsb4'),
  ...(['tsb1', 'tsb2', 'tsb4'] as const).flatMap(name => [
    pair('masquerade4', name),
    pair('masquerade6', name),
  ]),
  ...VERSIONS.flatMap(version => [
    pair(`guest${version}`, 'fbr0', text(version, 9, 11)),
    pair(`guest_masquerade${version}`, 'fbr0', text(version, 9, 11)),
  ]),
];

/** A host with bridges, containers on them, and a neighbour on its LAN that routes all their subnets to the host. */
export class TestHost {
  readonly host: NftNamespace;
  readonly places = new Map<Place, NftNamespace>();

  private constructor(host: NftNamespace) {
    this.host = host;
  }

  static async create(): Promise<TestHost> {
    const lab = new TestHost(await nftNamespace());
    await lab.#up();
    return lab;
  }

  at(place: Place): NftNamespace {
    const found = this.places.get(place);
    if (!found) throw new Error(`no ${place}`);
    return found;
  }

  static address(place: Place | 'host', version: Version): string {
    if (place === 'host') return text(version, LAN, 1);
    if (place === 'lan') return text(version, LAN, 2);
    const [bridge, host] = PLACES[place];
    return text(version, BRIDGES[bridge], host);
  }

  async #up(): Promise<void> {
    this.host.sysctl('ipv4/ip_forward', '1');
    this.host.sysctl('ipv6/conf/all/forwarding', '1');
    await this.host.batch(
      'link set lo up',
      ...Object.entries(BRIDGES).flatMap(([name, net]) => [
        `link add ${name} type bridge`,
        `link set ${name} up`,
        `addr add ${text(4, net, 1)}/24 dev ${name}`,
        `addr add ${text(6, net, 1)}/64 dev ${name} nodad`,
      ]),
    );
    for (const [place, [bridge, number]] of Object.entries(PLACES)) {
      await this.#plug(place as Place, BRIDGES[bridge], number, `link set v-${place} master ${bridge}`);
    }
    await this.#plug(
      'lan',
      LAN,
      2,
      `addr add ${text(4, LAN, 1)}/24 dev v-lan`,
      `addr add ${text(6, LAN, 1)}/64 dev v-lan nodad`,
    );
    this.at('lan').sysctl('ipv4/ip_forward', '1');
    this.at('lan').sysctl('ipv6/conf/all/forwarding', '1');
    await this.at('lan').feed(
      `table inet seen {
         set from4 { type ipv4_addr; flags dynamic; }
         set from6 { type ipv6_addr; flags dynamic; }
         chain in {
           type filter hook input priority 0;
           icmp type echo-request add @from4 { ip saddr }
           icmpv6 type echo-request add @from6 { ip6 saddr }
         }
       }`,
      'nft',
      '-f',
      '-',
    );
  }

  async #plug(place: Place, net: number, number: number, ...hostSide: string[]): Promise<void> {
    const namespace = await nftNamespace();
    this.places.set(place, namespace);
    await this.host.batch(
      `link add v-${place} type veth peer name eth0 netns ${namespace.path}`,
      `link set v-${place} up`,
      ...hostSide,
    );
    await namespace.batch(
      'link set lo up',
      'link set eth0 up',
      `addr add ${text(4, net, number)}/24 dev eth0`,
      `addr add ${text(6, net, number)}/64 dev eth0 nodad`,
      `route add default via ${text(4, net, 1)}`,
      `route add default via ${text(6, net, 1)}`,
    );
  }

  reaches(from: Place, to: Place | 'host', version: Version): Promise<boolean> {
    return this.at(from).reaches(TestHost.address(to, version));
  }

  /** Source addresses of echo requests that the LAN neighbour has received since the last call. */
  async seen(version: Version): Promise<readonly string[]> {
    const list = await this.at('lan').exec('nft', '-j', 'list', 'set', 'inet', 'seen', `from${version}`);
    await this.at('lan').exec('nft', 'flush', 'set', 'inet', 'seen', `from${version}`);
    const objects: { set?: { elem?: string[] } }[] = JSON.parse(list).nftables;
    return objects.flatMap(object => object.set?.elem ?? []);
  }

  async down(): Promise<void> {
    for (const namespace of [this.host, ...this.places.values()]) await namespace[Symbol.asyncDispose]();
  }
}
