import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { clean, createNetwork, driverOptions } from './support/bridge-lab.ts';
import { asks, published, startServer } from './support/publish-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const HOST = '198.18.0.11';
const SECOND = '198.18.0.111';
const HOST6 = 'fd99::b';
const SECOND6 = 'fd99::bb';
const SUBNET = ['--subnet', '198.18.9.0/24'];
const SUBNET6 = ['--ipv6', '--subnet', '2001:db8:9::/64'];

describe.each(ENGINES)('the address that a port is published on, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await host.host.sh(`ip addr add ${SECOND}/24 dev eth0; ip addr add ${SECOND6}/64 dev eth0 nodad`);
  });
  afterEach(() => clean(host));
  afterAll(() => lab?.destroy());

  /** The addresses of the host by which port 8080 leads to the container c1, from the LAN and on the host itself. */
  async function whereReached(): Promise<{ lan: string[]; host: string[] }> {
    const addresses = [HOST, SECOND, `[${HOST6}]`, `[${SECOND6}]`];
    const places = (list: string[]) => list.map(address => `${address}:8080`);
    const [lan, own] = await Promise.all([
      asks(lab.lan, ...places(addresses)),
      asks(host.host, ...places([...addresses, '127.0.0.1', '127.0.0.2', '[::1]'])),
    ]);
    const reached = (answers: Record<string, string | undefined>) =>
      Object.entries(answers)
        .filter(([, answer]) => answer?.startsWith('c1 '))
        .map(([place]) => place.replace(/:8080$/, ''));
    return { lan: reached(lan), host: reached(own) };
  }

  const ALL4 = [HOST, SECOND];
  const ALL6 = [`[${HOST6}]`, `[${SECOND6}]`];
  const LOOP4 = ['127.0.0.1', '127.0.0.2'];
  const LOOP6 = ['[::1]'];

  describe.each([
    ['IPv4 and IPv6', SUBNET6],
    ['IPv4 only', []],
  ] as const)('of a container with %s', (_, subnet6) => {
    it.each([
      ['every address of both families', '', [...ALL4, ...ALL6], [...LOOP4, ...LOOP6]],
      ['0.0.0.0: every IPv4 address', '0.0.0.0:', ALL4, LOOP4],
      ['[::]: every IPv6 address', '[::]:', ALL6, LOOP6],
      ['one IPv4 address', `${SECOND}:`, [SECOND], []],
      ['one IPv6 address', `[${SECOND6}]:`, [`[${SECOND6}]`], []],
      ['127.0.0.1', '127.0.0.1:', [], ['127.0.0.1']],
      ['another loopback address', '127.0.0.2:', [], ['127.0.0.2']],
      ['::1', '[::1]:', [], LOOP6],
    ] as const)('%s', async (_case, address, lan, loopback) => {
      await createNetwork(host, 'web', ...SUBNET, ...subnet6);
      await startServer(host, 'c1', 'web', '-p', `${address}8080:80`);
      expect(await whereReached()).toEqual({ lan: [...lan], host: [...lan, ...loopback] });
    });
  });

  it('several, each with a port of its own', async () => {
    await createNetwork(host, 'web', ...SUBNET, ...SUBNET6);
    const ports = [`${HOST}:8080:80`, `${SECOND}:8080:81`, `[${HOST6}]:8080:82`].flatMap(port => [
      '-p',
      port,
    ]);
    await startServer(host, 'c1', 'web', ...ports);
    await startServer(host, 'c2', 'web', '-p', `[${SECOND6}]:8080:80`, '-p', '127.0.0.1:8080:80');
    const places = [HOST, SECOND, `[${HOST6}]`, `[${SECOND6}]`, '127.0.0.1'].map(
      address => `${address}:8080`,
    );
    const answers = Object.values(await asks(host.host, ...places));
    expect(answers.map(answer => answer?.split(' ')[0])).toEqual(['c1', 'c1', 'c1', 'c2', 'c2']);
  });

  it('is refused where it is none of the host', async () => {
    await createNetwork(host, 'web', ...SUBNET, ...SUBNET6);
    for (const address of ['198.18.0.99', '[fd99::99]']) {
      const publish = ['-p', `${address}:8080:80`];
      const words = await host.refused('run', '--rm', '--network', 'web', ...publish, 'busybox', 'true');
      expect(words).toContain(`HOST_ADDRESS: port ${address}:8080/tcp cannot be held`);
    }
  });

  it.each([
    ['0.0.0.0', [...ALL4, ...ALL6], [...LOOP4, ...LOOP6]],
    ['127.0.0.1', [], ['127.0.0.1']],
    [SECOND, [SECOND], []],
  ] as const)('is host_binding_ipv4=%s where -p names none', async (binding, lan, loopback) => {
    const options = driverOptions({ 'com.docker.network.bridge.host_binding_ipv4': binding });
    await createNetwork(host, 'web', ...SUBNET, ...SUBNET6, ...options);
    await startServer(host, 'c1', 'web', '-p', '8080:80', '-p', `${HOST}:8081:80`);
    expect(await whereReached()).toEqual({ lan: [...lan], host: [...lan, ...loopback] });
    // an address that is named goes before
    expect(Object.values(await asks(lab.lan, `${HOST}:8081`, `${SECOND}:8081`))).toEqual([
      'c1 198.18.0.1',
      undefined,
    ]);
  });

  it('is an IPv6 address only where the container has no IPv4', async context => {
    context.skip(engine === '20.10', 'every network of it has IPv4');
    await createNetwork(host, 'web', '--ipv4=false', ...SUBNET6);
    await startServer(host, 'c1', 'web', '-p', '8080:80');
    expect(await published(host)).toEqual(['[::]:8080 -> 80/tcp']);
    expect(await whereReached()).toEqual({ lan: ALL6, host: [...ALL6, ...LOOP6] });
  });

  it('is none on an internal network', async () => {
    await createNetwork(host, 'web', ...SUBNET, '--internal');
    await startServer(host, 'c1', 'web', '-p', '8080:80');
    expect(await published(host)).toEqual([]);
    expect(await whereReached()).toEqual({ lan: [], host: [] });
  });
});
