import { Random } from '../random.ts';
import { readCorpus } from './corpus.ts';
import { garble, Mutator } from './mutate.ts';
import { Nasty } from './nasty.ts';
import { NetworkOptions } from './network-options.ts';
import type { FuzzRequest, Kind } from './request.ts';
import type { Held, HeldNetwork, Target } from './target.ts';

/** How often each method is asked for; the rest of the corpus now and then. */
const METHODS = {
  'NetworkDriver.CreateNetwork': 10,
  'NetworkDriver.CreateEndpoint': 18,
  'NetworkDriver.Join': 16,
  'NetworkDriver.ProgramExternalConnectivity': 12,
  'NetworkDriver.RevokeExternalConnectivity': 6,
  'NetworkDriver.Leave': 7,
  'NetworkDriver.DeleteEndpoint': 9,
  'NetworkDriver.DeleteNetwork': 4,
  'IpamDriver.RequestPool': 5,
  'IpamDriver.RequestAddress': 7,
  'IpamDriver.ReleaseAddress': 3,
  'IpamDriver.ReleasePool': 2,
  other: 6,
} as const;

/** What is held at most: more would cost time and find nothing. */
const MOST = { networks: 5, endpoints: 12, pools: 6, leases: 16 } as const;
/** Ids that requests draw from, so that many name what is there, or was. */
const IDS = 24;
const SUBNETS = 12;

/** Body of a request, as far as it is rewritten. */
type Body = Record<string, unknown>;

/** Writes the requests of a campaign: what engines have sent, made to fit what the target has, and most of it changed. */
export class Author {
  readonly #random: Random;
  readonly #target: Target;
  readonly #corpus = readCorpus();
  readonly #nasty: Nasty;
  readonly #mutator: Mutator;
  readonly #options: NetworkOptions;
  readonly #networkIds: readonly string[];
  readonly #endpointIds: readonly string[];
  #last: FuzzRequest | undefined;

  constructor(random: Random, seed: number, target: Target) {
    this.#random = random;
    this.#target = target;
    this.#nasty = new Nasty(random, seed);
    this.#mutator = new Mutator(random, this.#nasty);
    this.#options = new NetworkOptions(random, this.#nasty, target.parents);
    const draw = new Random(seed + 1);
    const ids = (length: number, base: number) =>
      Array.from({ length: IDS }, () =>
        Array.from({ length }, () => draw.below(base).toString(base)).join(''),
      );
    this.#networkIds = [...ids(64, 16).slice(2), ...ids(25, 36).slice(0, 2)];
    this.#endpointIds = ids(64, 16);
  }

  /** The next request. */
  write(): FuzzRequest {
    const held = this.#target.held();
    const request = this.#tidy(held) ?? this.#write(held);
    this.#last = request;
    return request;
  }

  #write(held: Held): FuzzRequest {
    const random = this.#random;
    if (this.#last !== undefined && random.chance(0.03)) return this.#last;
    const drawn = random.weightedName(METHODS);
    const method = drawn === 'other' ? random.pick([...this.#corpus.keys()]) : drawn;
    const body = this.#fitted(method, held);
    const kind: Kind = random.weightedName({ valid: 42, values: 50, text: 5, http: 3 });
    const path = `/${method}`;
    const text = JSON.stringify(body);
    switch (kind) {
      case 'valid':
        return { path, body: text, kind };
      case 'values':
        return { path, body: JSON.stringify(this.#mutator.mutate(body)) ?? '', kind };
      case 'text':
        return { path, body: garble(text, random), kind };
      case 'http':
        return { ...this.#otherHttp(path), body: text, kind };
    }
  }

  #otherHttp(path: string): Pick<FuzzRequest, 'path' | 'method' | 'headers'> {
    const random = this.#random;
    const paths = [
      path.toLowerCase(),
      `${path}/`,
      `${path}?a=b&__proto__[x]=1`,
      `/${path}`,
      `/a/..${path}`,
      path.replace('.', '%2e'),
      path.slice(0, 1 + random.below(path.length)),
      `/${encodeURIComponent(this.#nasty.text().toWellFormed()).slice(0, 2_000)}`,
      '/NetworkDriver.',
      '/NetworkDriver.__proto__',
      '/VolumeDriver.Create',
      '/',
      '*',
    ];
    const headers: readonly Record<string, string>[] = [
      { 'content-encoding': 'gzip' },
      { 'content-encoding': 'x'.repeat(100) },
      { 'content-type': 'text/plain; charset=utf-16' },
      { 'content-type': 'multipart/form-data' },
      { expect: '100-continue' },
      { 'x-http-method-override': 'DELETE' },
      { upgrade: 'h2c', connection: 'upgrade' },
    ];
    switch (random.below(3)) {
      case 0:
        return { path: random.pick(paths) };
      case 1:
        return { path, method: random.pick(['GET', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'TRACE']) };
      default:
        return { path, headers: random.pick(headers) };
    }
  }

  /** A removal, as an engine asks for it, when there is more than the campaign needs. */
  #tidy({ networks, endpoints, pools, leases }: Held): FuzzRequest | undefined {
    const random = this.#random;
    const request = (method: string, body: object): FuzzRequest => ({
      path: `/${method}`,
      body: JSON.stringify(body),
      kind: 'valid',
    });
    if (endpoints.length > MOST.endpoints) {
      const { id, networkId, joined } = random.pick(endpoints);
      const body = { NetworkID: networkId, EndpointID: id };
      return request(`NetworkDriver.${joined && random.chance(0.5) ? 'Leave' : 'DeleteEndpoint'}`, body);
    }
    if (networks.length > MOST.networks)
      return request('NetworkDriver.DeleteNetwork', { NetworkID: random.pick(networks).id });
    if (leases.length > MOST.leases) {
      const { space, pool, address } = random.pick(leases);
      return request('IpamDriver.ReleaseAddress', { PoolID: `${space}/${pool}`, Address: address });
    }
    // Others stay as long as there are addresses of theirs.
    const free = pools.filter(id => !leases.some(({ space, pool }) => id.startsWith(`${space}/${pool}`)));
    if (pools.length > MOST.pools && free.length > 0)
      return request('IpamDriver.ReleasePool', { PoolID: random.pick(free) });
    return undefined;
  }

  /** A body of the corpus whose ids, addresses and paths are those of something there, mostly. */
  #fitted(method: string, held: Held): unknown {
    const random = this.#random;
    const body: unknown = JSON.parse(random.pick(this.#corpus.get(method) ?? ['{}']));
    if (typeof body !== 'object' || body === null || random.chance(0.05)) return body;
    const fields: Body = body as Body;
    if (method === 'NetworkDriver.CreateNetwork') this.#fitNetwork(fields);
    else if (method.startsWith('NetworkDriver.')) this.#fitEndpoint(method, fields, held);
    else if (method.startsWith('IpamDriver.')) this.#fitPool(fields, held);
    return fields;
  }

  #fitNetwork(fields: Body): void {
    const random = this.#random;
    fields['NetworkID'] = random.pick(this.#networkIds);
    const number = random.below(SUBNETS);
    const data = (family: 4 | 6): object => {
      const [pool, gateway] =
        family === 4
          ? [`198.18.${10 + number}.0/24`, `198.18.${10 + number}.1/24`]
          : [`2001:db8:${number}::/64`, `2001:db8:${number}::1/64`];
      const aux = random.chance(0.2) ? { host: gateway.replace('1/', '9/') } : {};
      return { AddressSpace: 'LocalDefault', Pool: pool, Gateway: gateway, AuxAddresses: aux };
    };
    const ipv6 = random.chance(0.4);
    fields['IPv4Data'] = ipv6 && random.chance(0.1) ? [] : [data(4)];
    fields['IPv6Data'] = ipv6 ? [data(6)] : [];
    fields['Options'] = {
      'com.docker.network.enable_ipv6': ipv6,
      'com.docker.network.internal': random.chance(0.15),
      'com.docker.network.generic': this.#options.some(),
    };
  }

  #fitEndpoint(method: string, fields: Body, held: Held): void {
    const random = this.#random;
    const endpoint = held.endpoints.length > 0 ? random.pick(held.endpoints) : undefined;
    const network = held.networks.length > 0 ? random.pick(held.networks) : undefined;
    const isNew = method === 'NetworkDriver.CreateEndpoint';
    if ('EndpointID' in fields) {
      fields['EndpointID'] = isNew
        ? random.pick(this.#endpointIds)
        : (endpoint?.id ?? random.pick(this.#endpointIds));
    }
    if ('NetworkID' in fields) {
      const fits =
        isNew || endpoint === undefined || !('EndpointID' in fields) ? network?.id : endpoint.networkId;
      fields['NetworkID'] = random.chance(0.95)
        ? (fits ?? random.pick(this.#networkIds))
        : random.pick(this.#networkIds);
    }
    if ('SandboxKey' in fields) fields['SandboxKey'] = random.pick(this.#target.sandboxes);
    if (isNew && network !== undefined) this.#fitInterface(fields, network);
    this.#fitPorts(fields);
  }

  #fitInterface(fields: Body, network: HeldNetwork): void {
    const random = this.#random;
    const host = 2 + random.below(60);
    const [pool4] = network.pools4;
    const [pool6] = network.pools6;
    fields['Interface'] = {
      Address: pool4 === undefined ? '' : pool4.replace(/\.\d+\//, `.${host}/`),
      AddressIPv6: pool6 === undefined ? '' : pool6.replace(/::\d*\//, `::${host.toString(16)}/`),
      MacAddress: random.chance(0.2) ? `02:42:ac:11:00:${host.toString(16).padStart(2, '0')}` : '',
    };
    if (random.chance(0.3)) {
      fields['Options'] = {
        'com.docker.network.endpoint.ifname': random.pick(['vpn0', 'eth7', 'lan_0', 'eth0']),
        ...(random.chance(0.5)
          ? { 'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.log_martians=1' }
          : {}),
      };
    }
  }

  /** The host's own addresses in the port maps, and few ports, so that they clash now and then. */
  #fitPorts(fields: Body): void {
    const random = this.#random;
    const options = fields['Options'];
    if (typeof options !== 'object' || options === null) return;
    const map = (options as Body)['com.docker.network.portmap'];
    if (!Array.isArray(map)) return;
    (options as Body)['com.docker.network.portmap'] = map.map((binding: Body) => {
      const first = random.chance(0.2) ? 0 : 20_000 + random.below(12);
      return {
        ...binding,
        HostIP: random.pick(['', '', ...this.#target.addresses]),
        HostPort: first,
        HostPortEnd: first === 0 ? 0 : first + (random.chance(0.2) ? 3 : 0),
      };
    });
  }

  #fitPool(fields: Body, { pools, leases }: Held): void {
    const random = this.#random;
    const pool = pools.length > 0 ? random.pick(pools) : 'tsnet-local/198.18.40.0/24';
    if ('PoolID' in fields) fields['PoolID'] = pool;
    const lease = leases.length > 0 ? random.pick(leases) : undefined;
    const network = pool.split('/')[1] ?? '';
    if ('Address' in fields && fields['Address'] !== '') {
      fields['Address'] =
        random.chance(0.4) && lease !== undefined
          ? lease.address
          : network.replace(/\.\d+$/, `.${1 + random.below(30)}`).replace(/::$/, `::${1 + random.below(30)}`);
    }
    if ('Pool' in fields && fields['Pool'] !== '') {
      const number = random.below(SUBNETS);
      const v6 = random.chance(0.3);
      fields['Pool'] = v6 ? `2001:db8:4${number}::/64` : `198.18.${40 + number}.0/24`;
      fields['SubPool'] = v6 || random.chance(0.7) ? '' : `198.18.${40 + number}.128/25`;
      fields['V6'] = v6;
    }
  }
}
