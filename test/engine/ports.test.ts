import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PortRow } from '../../src/cli/ports-table.ts';
import type { Lab } from '../lab/lab.ts';
import { serveName, talk } from './support/bridge-lab.ts';
import { LAN4, startContainer } from './support/macvlan-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const TSNET = join(import.meta.dirname, '../../dist/tsnet');
const HEADER = 'CONTAINER  NETWORK  PUBLISHED  LEADS TO  PROTOCOL';

describe.each(ENGINES)('tsnet ports, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;
  beforeAll(async () => {
    ({
      lab,
      hosts: [host],
    } = (await tsnetLab({ hosts: [{ engine }] })) as { lab: Lab; hosts: [TsnetHost] });
    await host.docker('network', 'create', '-d', 'tsnet', '--subnet', '198.18.40.0/24', 'web');
    const lan = ['-d', 'tsnet', ...LAN4, '--ip-range', '198.18.0.64/28', '-o', 'parent=eth0'];
    await host.docker('network', 'create', ...lan, 'lan');
  });
  afterAll(() => lab?.destroy());

  const ports = (...args: string[]) => host.host.exec(TSNET, ['ports', ...args], { reject: false });
  const json = async (...args: string[]) =>
    JSON.parse(String((await ports('--json', ...args)).stdout)) as PortRow[];
  const short = ({ container, hostAddress, hostPort, containerAddress, containerPort, protocol }: PortRow) =>
    `${container} ${hostAddress}:${hostPort} ${containerAddress}:${containerPort} ${protocol}`;

  it('has nothing to list before anything is published', async () => {
    expect(await ports()).toMatchObject({ exitCode: 0, stdout: HEADER, stderr: '' });
    expect(await json()).toEqual([]);
  });

  it('lists what is published, and each port listed is one that answers', async () => {
    const published = ['-p', '8080:80', '-p', '127.0.0.1:9090:80', '-p', '5353:53/udp'];
    const { address4 } = await startContainer(host, 'shop', 'web', ...published);
    const camera = await startContainer(host, 'camera', 'lan', '-p', '81:80');
    const { stdout, stderr } = await ports();
    expect(stderr).toBe('');
    const lines = String(stdout).split('\n');
    expect(lines[0]).toMatch(/^CONTAINER +NETWORK +PUBLISHED +LEADS TO +PROTOCOL$/);
    expect(lines.slice(1).map(line => line.replace(/ {2,}/g, ' | '))).toEqual([
      `camera | lan | ${camera.address4}:81 | ${camera.address4}:80 | tcp`,
      `shop | web | 0.0.0.0:8080 | ${address4}:80 | tcp`,
      `shop | web | [::]:8080 | ${address4}:80 | tcp`,
      `shop | web | 127.0.0.1:9090 | ${address4}:80 | tcp`,
      `shop | web | 0.0.0.0:5353 | ${address4}:53 | udp`,
      `shop | web | [::]:5353 | ${address4}:53 | udp`,
    ]);

    await Promise.all(['shop', 'camera'].map(name => serveName(host, name)));
    const rows = (await json()).filter(row => row.protocol === 'tcp');
    expect(rows).toHaveLength(4);
    for (const { container, hostAddress, hostPort } of rows) {
      const from = hostAddress === '127.0.0.1' ? host.host : lab.lan;
      const everywhere: Record<string, string> = { '0.0.0.0': host.host.address, '::': host.host.address6 };
      expect(await talk(from, everywhere[hostAddress] ?? hostAddress, hostPort)).toBe(container);
    }
  });

  it('says which network, endpoint and place a port is of', async () => {
    const [camera] = await json();
    const attachment = await host.attachment('camera', 'lan');
    expect(camera).toMatchObject({
      container: 'camera',
      network: 'lan',
      networkId: attachment['NetworkID'],
      endpointId: attachment['EndpointID'],
      mode: 'macvlan',
      at: 'self',
    });
  });

  it('lists the same after the daemon has restarted', async () => {
    const before = await json();
    await host.restart();
    expect(await json()).toEqual(before);
  });

  it('goes by ids when the engine cannot be asked', async () => {
    const { exitCode, stdout, stderr } = await ports('--docker-socket', '/run/none.sock');
    const id = String((await host.attachment('camera', 'lan'))['EndpointID']).slice(0, 12);
    expect(exitCode).toBe(0);
    expect(String(stdout)).toContain(`${id}  lan `);
    expect(stderr).toMatch(/^tsnet: names of containers are missing: connect ENOENT \/run\/none\.sock$/);
  });

  it('lists a port no longer once its container has ended', async () => {
    await host.docker('rm', '-f', 'shop');
    expect((await json()).map(row => row.container)).toEqual(['camera']);
    await host.docker('stop', 'camera');
    expect((await json()).map(short)).toEqual([]);
  });

  it('says what is wrong, and what to do, when there is no daemon', async () => {
    await host.stop();
    const { exitCode, stdout, stderr } = await ports();
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(
      /^tsnet: DAEMON: no daemon can be asked on \/run\/docker\/plugins\/tsnet\.sock \(.+\)\. Start the daemon, /,
    );
    await host.start();
  });
});
