import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Child } from '../lab/child.ts';
import { waitFor } from '../lab/wait.ts';
import { BR_NETFILTER, setBrNetfilter } from './support/bridge-lab.ts';
import {
  EchoSeries,
  firewallCmd,
  installFirewalls,
  startBus,
  startFirewalld,
} from './support/host-firewalls.ts';
import { bridgeOf } from './support/host-view.ts';
import { LAN4, reaches } from './support/macvlan-lab.ts';
import { PolicyLab, tcp } from './support/policy-lab.ts';
import { ENGINES } from './support/tsnet-host.ts';

describe.each(ENGINES)('firewalld, engine %s', engine => {
  let lab: PolicyLab;
  let address: string;
  let bridge: string;
  let firewalld: Child;

  const zoneOf = async (link: string): Promise<string> => {
    const args = [`--get-zone-of-interface=${link}`];
    return String((await lab.host.host.exec('firewall-cmd', args, { reject: false })).stdout);
  };
  const getsInto = (zone: string) =>
    waitFor(async () => (await zoneOf(bridge)) === zone, { what: `${bridge} to be in the zone ${zone}` });
  const restartEngine = async () => {
    await lab.host.host.stopEngine();
    await lab.host.host.startEngine();
  };

  /** From the LAN to published ports, and from a container to its own network, another, and the LAN. */
  const works = async () => {
    expect(await lab.ask(lab.lab.lan, { web: tcp(address, 8080), shim: tcp(address, 8085) })).toEqual({
      web: 'web1 198.18.0.1',
      shim: expect.stringMatching(/^m1 /),
    });
    const web1 = await lab.attached('web1', 'web');
    for (const value of BR_NETFILTER) {
      await setBrNetfilter(lab.host, value);
      const out = { own: tcp(web1.address4, 80), port: tcp(address, 8080), lan: tcp('198.18.0.1', 7000) };
      expect(await lab.ask('web2', out)).toEqual({
        own: expect.stringMatching(/^web1 /),
        port: expect.stringMatching(/^web1 /),
        lan: `lan ${address}`,
      });
    }
  };

  beforeAll(async () => {
    lab = await PolicyLab.create(engine);
    const { host } = lab.host;
    address = host.address;
    await installFirewalls(host);
    await startBus(host);
    firewalld = await startFirewalld(host);
    await lab.serveOn(lab.lab.lan, 'lan', 7000);
    await lab.serveOn(host, 'host', 9090);
    await lab.host.docker('network', 'create', '-d', 'tsnet', '--subnet', '198.18.64.0/24', 'web');
    bridge = await bridgeOf(lab.host, 'web');
  });
  afterAll(() => lab?.lab.destroy());

  it('a bridge gets into the trusted zone where the engine has made none for its own', async () => {
    await getsInto('trusted');
  });

  it('and into that of the engine as soon as there is one', async () => {
    await restartEngine();
    await getsInto('docker');
    await lab.run('web1', 'web', [80], '-p', '8080:80', '-p', '8007:7');
    await lab.host.docker('exec', '-d', 'web1', 'nc', '-ll', '-p', '7', '-e', 'cat');
    await lab.run('web2', 'web');
    const macvlan = ['-o', 'mode=macvlan', '-o', 'parent=eth0', '-o', 'publish=host', ...LAN4];
    await lab.host.docker('network', 'create', '-d', 'tsnet', ...macvlan, 'lan');
    await lab.run('m1', 'lan', [80], '--ip', '198.18.0.50', '-p', '8085:80');
    await works();
  });

  it('without a zone firewalld stops what comes from the bridge, but no published port', async () => {
    const web = { web: tcp(address, 8080) };
    const lan = { lan: tcp('198.18.0.1', 7000) };
    await lab.host.stop();
    await firewallCmd(lab.host.host, '--zone=docker', `--remove-interface=${bridge}`);
    expect((await lab.ask('web2', lan)).lan).not.toMatch(/^lan /);
    expect(await lab.ask(lab.lab.lan, web)).toEqual({ web: 'web1 198.18.0.1' });
    await lab.host.start();
    await getsInto('docker');
    expect(await lab.ask('web2', lan)).toEqual({ lan: `lan ${address}` });
  });

  it('ports of the host that firewalld does not open stay closed', async () => {
    expect((await lab.ask(lab.lab.lan, { host: tcp(address, 9090) })).host).not.toMatch(/^host /);
  });

  it('after a reload all is as before, and a connection survives it', async () => {
    const connection = await EchoSeries.start(lab.lab.lan, address, 8007);
    await firewallCmd(lab.host.host, '--reload');
    const begin = Date.now();
    await reaches({ on: lab.host, container: 'web2' }, '198.18.0.1');
    expect(Date.now() - begin).toBeLessThan(3000);
    await connection.more(10);
    await connection.stop();
    expect(await zoneOf(bridge)).toBe('docker');
    await works();
  });

  it('after a restart of firewalld, too', async () => {
    await firewalld.stop();
    firewalld = await startFirewalld(lab.host.host);
    await getsInto('docker');
    await waitFor(
      async () => (await lab.ask('web2', { lan: tcp('198.18.0.1', 7000) })).lan.startsWith('lan'),
      {
        what: 'web2 to reach the LAN',
      },
    );
    await works();
  });

  it('a link that somebody has put into a zone stays there', async () => {
    await firewallCmd(lab.host.host, '--zone=work', `--change-interface=${bridge}`);
    await lab.host.docker('network', 'create', '-d', 'tsnet', '--subnet', '198.18.65.0/24', 'next');
    const next = await bridgeOf(lab.host, 'next');
    await waitFor(async () => (await zoneOf(next)) === 'docker', { what: `${next} to be in a zone` });
    expect(await zoneOf(bridge)).toBe('work');
    expect(await lab.ask(lab.lab.lan, { web: tcp(address, 8080) })).toEqual({ web: 'web1 198.18.0.1' });
    await firewallCmd(lab.host.host, '--zone=work', `--remove-interface=${bridge}`);
    await getsInto('docker');

    await lab.host.docker('network', 'rm', 'next');
    await waitFor(async () => (await zoneOf(next)) === '', { what: `${next} to be forgotten` });
    expect(await zoneOf(bridge)).toBe('docker');
  });
});
