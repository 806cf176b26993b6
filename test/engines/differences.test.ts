import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clean } from '../engine/support/bridge-lab.ts';
import { namesIn } from '../engine/support/inside-lab.ts';
import { inContainer } from '../engine/support/macvlan-lab.ts';
import { TsnetHost } from '../engine/support/tsnet-host.ts';
import { engines, type Generation } from '../lab/engines.ts';
import { Lab } from '../lab/lab.ts';
import { difference, differences } from '../replay/engine-table.ts';

const GENERATIONS = (await engines()).map(({ generation }) => generation as Generation);
const CREATE = ['network', 'create', '-d', 'tsnet'];
const RUN = ['run', '-d', '--stop-timeout', '0', '--name', 'c1'];
const IDLE = ['busybox', 'sleep', '1d'];

/** Whether a command of docker succeeds. */
const accepts = async (host: TsnetHost, ...args: string[]) =>
  (await host.host.docker(...args)).exitCode === 0 ? 'yes' : 'refused';
const honoured = (is: boolean) => (is ? 'yes' : 'ignored');
const subnets = (host: TsnetHost, network: string) =>
  host.docker('network', 'inspect', '-f', '{{range .IPAM.Config}}{{.Subnet}} {{end}}', network);

/** What users see of an engine, by row of the table in docs/engines.md; each begins with networks `n1` and `n2` only. */
const ROWS: Record<string, (host: TsnetHost) => Promise<string>> = {
  "`--ipv6` without `--subnet`, with the engine's own IPAM": host =>
    accepts(host, ...CREATE, '--ipv6', 'six'),
  '`--ipv6` without `--subnet`, with `--ipam-driver tsnet`': host =>
    accepts(host, ...CREATE, '--ipv6', '--ipam-driver', 'tsnet', 'own'),
  '`--ipv4=false`': async host => {
    await host.docker(...CREATE, '--ipv4=false', '--ipv6', '--subnet', '2001:db8:62::/64', 'alone');
    return honoured(!(await subnets(host, 'alone')).includes('.'));
  },
  'several networks with `docker run`': host =>
    accepts(host, ...RUN, '--network', 'n1', '--network', 'n2', ...IDLE),
  '`--mac-address` of each network': host =>
    accepts(host, ...RUN, '--network', 'name=n1,mac-address=02:42:00:00:00:07', ...IDLE),
  '`--gw-priority`': async host => {
    await host.docker(...RUN, '--network', 'n1', ...IDLE);
    await host.docker('network', 'connect', '--gw-priority', '5', 'n2', 'c1');
    return honoured((await inContainer(host, 'c1', 'ip', 'route')).includes('default via 198.18.61.1'));
  },
  '`com.docker.network.endpoint.sysctls` of the first network': async host => {
    const sysctl = 'net.ipv4.conf.IFNAME.log_martians=1';
    const option = `name=n1,driver-opt=com.docker.network.endpoint.sysctls=${sysctl}`;
    await host.docker(...RUN, '--network', option, ...IDLE);
    const path = '/proc/sys/net/ipv4/conf/eth0/log_martians';
    return honoured((await host.docker('exec', 'c1', 'cat', path)) === '1');
  },
  '`com.docker.network.endpoint.ifname` of the first network': host =>
    accepts(host, ...RUN, '--network', 'name=n1,driver-opt=com.docker.network.endpoint.ifname=wan7', ...IDLE),
  '`eth0`, disconnected and connected again, comes back as': async host => {
    await host.docker(...RUN, '--network', 'n1', ...IDLE);
    await host.docker('network', 'connect', 'n2', 'c1');
    await host.docker('network', 'disconnect', 'n1', 'c1');
    await host.docker('network', 'connect', 'n1', 'c1');
    return (await namesIn(host, 'c1')).filter(name => name !== 'eth100').join(' ');
  },
};

describe('what differs between engines, for users', () => {
  let lab: Lab;
  const seen = new Map<string, Promise<Record<string, string>>>();

  beforeAll(async () => {
    lab = await Lab.create({ hosts: GENERATIONS.map(engine => ({ engine })) });
    for (const host of lab.hosts) seen.set(host.engine.generation, look(new TsnetHost(host)));
    await Promise.allSettled(seen.values());
  });
  afterAll(() => lab?.destroy());

  async function look(host: TsnetHost): Promise<Record<string, string>> {
    await Promise.all([host.start(), host.host.loadImage()]);
    await host.docker(...CREATE, '--subnet', '198.18.60.0/24', 'n1');
    await host.docker(...CREATE, '--subnet', '198.18.61.0/24', 'n2');
    const results: Record<string, string> = {};
    for (const [row, probe] of Object.entries(ROWS)) {
      results[row] = await probe(host);
      await host.host.discard('c1');
    }
    await clean(host);
    return results;
  }

  it.each(GENERATIONS)('engine %s is as docs/engines.md says', async generation => {
    const rows = Object.keys(ROWS);
    const documented = Object.fromEntries(rows.map(row => [row, difference(row)[generation]]));
    expect(await seen.get(generation)).toEqual(documented);
  });

  it('the upper half of the table has these rows and no others', () => {
    expect([...differences().keys()].slice(0, Object.keys(ROWS).length)).toEqual(Object.keys(ROWS));
  });
});
