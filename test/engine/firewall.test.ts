import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { bridgeOf, firewallElements, hasDockerUserRule } from './support/host-view.ts';
import { reaches, startContainer, timeUntil } from './support/macvlan-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const RULE = 'iptables -S DOCKER-USER | grep -q 0x10000000/0x10000000';

describe.each(ENGINES)('firewall under other hands, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;
  let bridge: string;
  let elements: string[] | undefined;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await host.docker('network', 'create', '-d', 'tsnet', '--subnet', '198.18.64.0/24', 'web');
    const run = ['--restart', 'always', '--ip'];
    await startContainer(host, 'web1', 'web', ...run, '198.18.64.2');
    await startContainer(host, 'web2', 'web', ...run, '198.18.64.3');
    bridge = await bridgeOf(host, 'web');
    elements = await firewallElements(host);
    expect(elements).toContain(`masquerade4 ${bridge}`);
  });
  afterAll(() => lab?.destroy());

  const works = async () => {
    const web1 = { on: host, container: 'web1' };
    await reaches(web1, '198.18.64.3');
    await reaches(web1, '198.18.0.1');
    expect(await firewallElements(host)).toEqual(elements);
  };
  const inTable = () => `nft list set inet tsnet masquerade4 | grep -q ${bridge}`;

  it('a table that was deleted is back within a second', async () => {
    expect(await timeUntil(host, 'nft delete table inet tsnet', inTable())).toBeLessThan(1000);
    await works();
  });

  it('so is an element, and a chain that was emptied', async () => {
    const one = `nft delete element inet tsnet masquerade4 '{ "${bridge}" }'`;
    expect(await timeUntil(host, one, inTable())).toBeLessThan(1000);
    const rules = 'nft list chain inet tsnet from_bridge | grep -q permit';
    expect(await timeUntil(host, 'nft flush chain inet tsnet from_bridge', rules)).toBeLessThan(1000);
    await works();
  });

  it('a DOCKER-USER that was emptied has its rule again', async () => {
    expect(await timeUntil(host, 'iptables -F DOCKER-USER', RULE)).toBeLessThan(1000);
    expect(await hasDockerUserRule(host)).toBe(true);
    await works();
  });

  it('a rule of the user in DOCKER-USER stays where it is', async () => {
    await host.host.sh('iptables -I DOCKER-USER -s 203.0.113.7 -j DROP');
    expect(await timeUntil(host, 'nft delete table inet tsnet', inTable())).toBeLessThan(1000);
    expect(
      await timeUntil(
        host,
        'iptables -D DOCKER-USER -m mark --mark 0x10000000/0x10000000 -m comment --comment tsnet -j ACCEPT',
        RULE,
      ),
    ).toBeLessThan(1000);
    const { stdout } = await host.host.exec('iptables', ['-S', 'DOCKER-USER']);
    expect(String(stdout).match(/203\.0\.113\.7/g)).toHaveLength(1);
    expect(await hasDockerUserRule(host)).toBe(true);
    await host.host.sh('iptables -D DOCKER-USER -s 203.0.113.7 -j DROP');
  });

  it('an engine that starts again leaves the rule, or gets it again', async () => {
    await host.host.stopEngine();
    await host.host.startEngine();
    await waitFor(() => hasDockerUserRule(host), { what: 'the rule in DOCKER-USER' });
    await works();
  });

  it('after a flush of everything the table is back, and the rule as soon as the chain is', async () => {
    expect(await timeUntil(host, 'nft flush ruleset', inTable())).toBeLessThan(1000);
    expect(await firewallElements(host)).toEqual(elements);
    const chain =
      'iptables -P FORWARD DROP; iptables -N DOCKER-USER; iptables -A DOCKER-USER -j RETURN; iptables -I FORWARD -j DOCKER-USER';
    expect(await timeUntil(host, chain, RULE)).toBeLessThan(1000);
    await works();
  });

  it('after a flush of everything an engine that starts again finds the rule put back', async () => {
    await host.host.sh('nft flush ruleset');
    await host.host.stopEngine();
    await host.host.startEngine();
    await waitFor(() => hasDockerUserRule(host), { what: 'the rule in DOCKER-USER' });
    await works();
  });
});

describe.each(ENGINES)('firewall without DOCKER-USER, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine, daemonJson: { iptables: false, ip6tables: false } }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
  });
  afterAll(() => lab?.destroy());

  it('makes nothing but its own tables, and the network works', async () => {
    await host.docker('network', 'create', '-d', 'tsnet', 'web');
    await startContainer(host, 'web1', 'web');
    await startContainer(host, 'web2', 'web');
    await reaches({ on: host, container: 'web1' }, 'web2');
    await reaches({ on: host, container: 'web1' }, '198.18.0.1');
    const { stdout } = await host.host.exec('nft', ['list', 'tables']);
    expect(String(stdout).trim().split('\n').sort()).toEqual(['table inet tsnet', 'table inet tsnet_flows']);
    expect(host.log()).not.toMatch(/ (WARN|ERROR) /);
    expect(host.log()).not.toContain('DOCKER-USER');
  });
});
