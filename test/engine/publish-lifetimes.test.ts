import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { clean, createNetwork } from './support/bridge-lab.ts';
import { startContainer } from './support/macvlan-lab.ts';
import {
  asks,
  bind,
  expectUnpublished,
  inside,
  mapElements,
  published,
  ready,
  startServer,
  startUdpSeries,
} from './support/publish-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const LAN = '198.18.0.1';
const HOST = '198.18.0.11';
const HOST6 = '[fd99::b]';
const SUBNET = ['--subnet', '198.18.9.0/24'];
const PUBLISH = ['-p', '8080:80', '-p', '8080:80/udp', '-p', '127.0.0.1:8081:80'];
const PLACES = ['0.0.0.0:8080/tcp', '0.0.0.0:8080/udp', '[::]:8080/tcp', '[::]:8080/udp', '0.0.0.0:8081/tcp'];

describe.each(ENGINES)('the life of a published port, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await createNetwork(host, 'web', ...SUBNET);
    await createNetwork(host, 'other', '--subnet', '198.18.10.0/24');
    await startServer(host, 'client', 'other');
  });
  afterEach(async () => {
    await host.host.discard('c1', 'c2');
    await expectUnpublished(host, ...PLACES);
  });
  afterAll(async () => {
    try {
      await clean(host);
    } finally {
      await lab?.destroy();
    }
  });

  const answersAll = async () => {
    expect(await asks(lab.lan, `${HOST}:8080`, `${HOST}:8080/udp`, `${HOST6}:8080`)).toEqual({
      [`${HOST}:8080`]: `c1 ${LAN}`,
      [`${HOST}:8080/udp`]: `c1 ${LAN}`,
      [`${HOST6}:8080`]: 'c1 198.18.9.1',
    });
    expect(Object.values(await bind(host, ...PLACES))).toEqual(PLACES.map(() => 'EADDRINUSE'));
  };

  it.each([
    ['docker stop', ['stop', 'c1']],
    ['docker kill', ['kill', 'c1']],
    ['docker rm -f', ['rm', '-f', 'c1']],
    ['docker network disconnect', ['network', 'disconnect', 'web', 'c1']],
    ['docker network disconnect -f', ['network', 'disconnect', '-f', 'web', 'c1']],
  ])('ends with %s', async (_, command) => {
    await startServer(host, 'c1', 'web', ...PUBLISH);
    await answersAll();
    await host.docker(...command);
    // `docker kill` returns before the engine has noticed the end
    await waitFor(async () => (await mapElements(host)).length === 0, { what: 'the ports to be closed' });
    await waitFor(async () => (await published(host)).length === 0, { what: 'the list to be empty' });
    await expectUnpublished(host, ...PLACES);
    expect(await asks(host.host, `${HOST}:8080`, '127.0.0.1:8081', '[::1]:8080')).toEqual({});
  });

  it('ends with the process in the container, and begins anew with docker start and restart', async () => {
    await startServer(host, 'c1', 'web', ...PUBLISH);
    const pid = await host.docker('inspect', '-f', '{{.State.Pid}}', 'c1');
    await host.host.exec('kill', ['-9', pid]);
    await waitFor(async () => (await published(host)).length === 0, { what: 'the ports to be closed' });
    await expectUnpublished(host, ...PLACES);
    for (const command of ['start', 'restart']) {
      await host.docker(command, 'c1');
      await ready(host, 'c1');
      await answersAll();
    }
  });

  it('begins anew with docker network connect', async () => {
    await startServer(host, 'c1', 'web', ...PUBLISH);
    await host.docker('network', 'disconnect', 'web', 'c1');
    await expectUnpublished(host, ...PLACES);
    await host.docker('network', 'connect', 'web', 'c1');
    await answersAll();
  });

  it('leads a UDP client that goes on sending from one port to the next container', async () => {
    const clients = {
      'the LAN': await startUdpSeries(lab.lan, `${HOST}:8080/udp`, 5353),
      'the host': await startUdpSeries(host.host, `${HOST}:8080/udp`, 5353),
      'the host by 127.0.0.1': await startUdpSeries(host.host, '127.0.0.1:8080/udp', 5354),
      'another network': await startUdpSeries(inside(host, 'client'), `${HOST}:8080/udp`, 5355),
      'the LAN by IPv6': await startUdpSeries(lab.lan, `${HOST6}:8080/udp`, 5356),
    };
    try {
      // what they send before anything is published goes to the host itself, and conntrack remembers it
      for (const name of ['c1', 'c2']) {
        // an address of its own, so that conntrack would not find the next container by chance
        const ip = name === 'c1' ? '198.18.9.21' : '198.18.9.22';
        await startServer(host, name, 'web', ...PUBLISH, '--ip', ip);
        for (const [who, client] of Object.entries(clients)) {
          const last = () => client.output().trimEnd().split('\n').at(-1);
          await waitFor(() => last()?.startsWith(`${name} `), {
            timeout: 5000,
            what: () => `${who} to reach ${name}; so far:\n${client.output()}`,
          });
        }
        await host.docker('rm', '-f', name);
      }
    } finally {
      for (const client of Object.values(clients)) await client.stop();
    }
  });

  it('ends connections: the next container with the address would get their packets', async () => {
    await startContainer(host, 'c1', 'web', ...PUBLISH, '--ip', '198.18.9.21');
    await host.docker('exec', '-d', 'c1', 'nc', '-ll', '-p', '80', '-e', 'cat');
    const client = await lab.lan.spawn('bash', [
      '-c',
      `until exec 3<>/dev/tcp/${HOST}/8080; do :; done; echo connected; while echo hello >&3; do read -t 0.1 -r line <&3; done`,
    ]);
    await client.waitForOutput('connected');
    const tracked = async () =>
      String(
        (await host.host.sh(`grep -c 'dport=8080.*src=198.18.9.21' /proc/net/nf_conntrack || true`)).stdout,
      ).trim();
    // what was refused before the server listened is tracked as well
    expect(Number(await tracked())).toBeGreaterThan(0);
    await host.docker('rm', '-f', 'c1');
    expect(await tracked()).toBe('0');
    await client.stop();
  });
});
