import type { JudgeTarget } from '../../../chaos/judge/judge.ts';
import type { Mode, WorldContainer, WorldNetwork, WorldPort } from '../../../chaos/world/types.ts';
import { type EngineGeneration, type TsnetHost, tsnetLab } from '../../engine/support/tsnet-host.ts';
import type { Lab } from '../../lab/lab.ts';

/** A host with networks of all modes and containers on them, and the world that says so. */
export class JudgedHost {
  readonly lab: Lab;
  readonly tsnet: TsnetHost;
  readonly networks = new Map<string, WorldNetwork>();
  readonly containers = new Map<string, WorldContainer>();

  private constructor(lab: Lab, tsnet: TsnetHost) {
    this.lab = lab;
    this.tsnet = tsnet;
  }

  static async create(engine: EngineGeneration): Promise<JudgedHost> {
    const { lab, hosts } = await tsnetLab({ nics: 2, hosts: [{ engine }] });
    const [tsnet] = hosts;
    if (tsnet === undefined) throw new Error('the lab has no host');
    return new JudgedHost(lab, tsnet);
  }

  /** What is asked of the judge. @param more replaces parts of it */
  target(more: Partial<JudgeTarget> = {}): JudgeTarget {
    return {
      host: this.tsnet.host,
      lan: this.lab.lan,
      daemon: {
        stateDir: '/var/lib/tsnet',
        socket: '/run/docker/plugins/tsnet.sock',
        log: () => this.tsnet.log(),
      },
      world: { networks: this.networks, containers: this.containers },
      ...more,
    };
  }

  /** `docker network create`. @param options in addition to the driver and, if it is given, the IPAM driver */
  async network(
    name: string,
    mode: Mode,
    subnets: readonly [string, ...string[]],
    ...options: string[]
  ): Promise<void> {
    const [subnet4, subnet6] = subnets;
    const pools = subnets.flatMap(subnet => ['--subnet', subnet]);
    const six = subnet6 === undefined ? [] : ['--ipv6'];
    await this.tsnet.docker('network', 'create', '-d', 'tsnet', ...six, ...pools, ...options, name);
    const ipam = options.includes('--ipam-driver') ? 'tsnet' : 'default';
    const world: WorldNetwork = { name, mode, subnet4, ipam, uncertain: false };
    this.networks.set(name, subnet6 === undefined ? world : { ...world, subnet6 });
  }

  /** `docker run`, on the first network, and `docker network connect` to the others. @param ports published ones: host, with `/udp` or as TCP, to container */
  async run(
    name: string,
    networks: readonly [string, ...string[]],
    ports: Readonly<Record<string, number>> = {},
  ): Promise<void> {
    const [first, ...others] = networks;
    const published: WorldPort[] = Object.entries(ports).map(([host, container]) => ({
      host: Number.parseInt(host, 10),
      container,
      protocol: host.endsWith('/udp') ? 'udp' : 'tcp',
    }));
    const flags = published.flatMap(({ host, container, protocol }) => [
      '-p',
      `${host}:${container}/${protocol}`,
    ]);
    const serve = `mkdir -p /www && echo ${name} > /www/index.html && exec httpd -f -p 80 -h /www`;
    // Nobody serves UDP: what tells of a datagram's arrival is that it is refused, which the kernel does once a second only.
    const talkative = ['--sysctl', 'net.ipv4.icmp_ratelimit=0', '--sysctl', 'net.ipv6.icmp.ratelimit=0'];
    const run = [
      'run',
      '-d',
      '--stop-timeout',
      '0',
      ...talkative,
      '--name',
      name,
      '--network',
      first,
      ...flags,
    ];
    await this.tsnet.docker(...run, 'busybox', 'sh', '-c', serve);
    for (const network of others) await this.tsnet.docker('network', 'connect', network, name);
    this.containers.set(name, {
      name,
      state: 'running',
      restarts: false,
      attachments: new Map(networks.map(network => [network, undefined])),
      ports: published,
      uncertain: false,
    });
  }

  async stop(name: string): Promise<void> {
    await this.tsnet.docker('stop', '-t', '0', name);
    const container = this.containers.get(name);
    if (container !== undefined) this.containers.set(name, { ...container, state: 'stopped' });
  }

  /** Every mode; containers that run, that are stopped, that are on two networks; published ports of each kind. */
  async populate(): Promise<void> {
    const bridgeOption = 'com.docker.network.bridge.';
    await this.tsnet.host.sh(
      'ip link add old type bridge; ip addr add 198.18.90.1/24 dev old; ip link set old up',
    );
    await this.network('web', 'bridge', ['198.18.10.0/24', '2001:db8:10::/64']);
    await this.network('plain', 'bridge', ['198.18.11.0/24']);
    await this.network('int', 'bridge-internal', ['198.18.12.0/24'], '--internal');
    await this.network('iso', 'bridge-isolated', ['198.18.13.0/24'], '-o', `${bridgeOption}enable_icc=false`);
    await this.network('own', 'bridge', ['198.18.14.0/24'], '--ipam-driver', 'tsnet');
    await this.network(
      'guests',
      'bridge-foreign',
      ['198.18.90.0/24'],
      ...['--gateway', '198.18.90.1', '-o', `${bridgeOption}name=old`],
    );
    await this.network(
      'lan',
      'macvlan',
      ['198.18.0.0/24', 'fd99::/64'],
      ...['--ip-range', '198.18.0.128/26', '--gateway', '198.18.0.1', '--gateway', 'fd99::1'],
      ...['-o', 'parent=eth0', '-o', 'publish=host'],
    );
    const second = ['--gateway', '198.18.1.1', '-o', 'parent=eth1'];
    await this.network('self', 'macvlan-self', ['198.18.1.0/24'], '--ip-range', '198.18.1.128/26', ...second);
    await this.network(
      'bare',
      'macvlan',
      ['198.18.1.0/24'],
      ...['--ip-range', '198.18.1.192/26', '--gateway', '198.18.1.2', '-o', 'parent=eth1', '-o', 'shim=off'],
    );
    await this.network('segment', 'macvlan', ['198.18.20.0/24'], '-o', 'mode=macvlan');
    await this.run('web1', ['web'], { '8001': 80, '8001/udp': 53 });
    await this.run('web2', ['web', 'plain']);
    await this.run('plain1', ['plain']);
    await this.run('int1', ['int']);
    await this.run('int2', ['int']);
    await this.run('iso1', ['iso'], { 8002: 80 });
    await this.run('iso2', ['iso']);
    await this.run('own1', ['own']);
    await this.run('guest1', ['guests'], { 8003: 80 });
    await this.run('guest2', ['guests']);
    await this.run('lan1', ['lan'], { '8004': 80, '8004/udp': 53 });
    await this.run('lan2', ['lan', 'int']);
    await this.run('self1', ['self'], { 8005: 80 });
    await this.run('bare1', ['bare']);
    await this.run('alone1', ['segment']);
    await this.run('alone2', ['segment']);
    await this.run('halted', ['plain'], { 8009: 80 });
    await this.stop('halted');
  }

  /** Removes all containers and networks. */
  async removeAll(): Promise<void> {
    await this.tsnet.docker('rm', '-f', ...this.containers.keys());
    for (const name of this.networks.keys()) await this.tsnet.docker('network', 'rm', name);
    this.containers.clear();
    this.networks.clear();
  }
}
