import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import type { ExecResult } from '../lab/node.ts';
import {
  addressesOn,
  BR_NETFILTER,
  clean,
  createNetwork,
  driverOptions,
  hasLink,
  ownElements,
  seenAs,
  serveName,
  setBrNetfilter,
  startPeerServer,
  talk,
} from './support/bridge-lab.ts';
import { answers, ipJson, neighbourOf, startContainer } from './support/macvlan-lab.ts';
import { soon } from './support/soon.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const named = (name: string) => driverOptions({ 'com.docker.network.bridge.name': name });
/** Segment 1 of the lab, which the host's bridge is a part of: the LAN node is .1, the host .11, a member .50. */
const SEGMENT = ['--subnet', '198.18.1.0/24', '--ip-range', '198.18.1.128/25'];
const HOST_IS_GATEWAY = ['--gateway', '198.18.1.11'];
const LAN_IS_GATEWAY = ['--gateway', '198.18.1.1'];

describe.each(ENGINES)('the name of the bridge, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }], nics: 2 });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await startPeerServer(lab.lan);
  });
  afterEach(() => clean(host));
  afterAll(() => lab?.destroy());

  const inside = (container: string) => ({ on: host, container });

  describe('of a bridge that does not exist', () => {
    it('is made, and removed with the network', async () => {
      await createNetwork(host, 'web', '--subnet', '198.18.9.0/24', ...named('web-br.0'));
      expect(await addressesOn(host.host, 'web-br.0')).toEqual(['198.18.9.1/24']);
      expect(await host.links()).toEqual(['web-br.0']);
      await startContainer(host, 'c1', 'web');
      expect(await seenAs(inside('c1'), '198.18.0.1')).toBe(host.host.address);
      await host.docker('rm', '-f', 'c1');
      await host.docker('network', 'rm', 'web');
      await soon(async () => expect(await hasLink(host.host, 'web-br.0')).toBe(false));
    });

    it('is refused where it is of another network, or of a link that is no bridge', async () => {
      await createNetwork(host, 'web', '--subnet', '198.18.9.0/24', ...named('webbr'));
      const refuse = (link: string) =>
        host.refused(
          'network',
          'create',
          '-d',
          'tsnet',
          '--subnet',
          '198.18.10.0/24',
          ...named(link),
          'wrong',
        );
      expect(await refuse('webbr')).toContain(
        'NOT_A_BRIDGE: link webbr is the bridge of another tsnet network',
      );
      expect(await refuse('eth0')).toContain('NOT_A_BRIDGE: link eth0 is of kind veth');
      expect(await refuse('lo')).toContain('NOT_A_BRIDGE: link lo ');
      expect(await host.links()).toEqual(['webbr']);
      expect(await addressesOn(host.host, 'eth0')).toContain('198.18.0.11/24');
    });
  });

  describe.each(BR_NETFILTER)('of a bridge of the LAN, bridge-nf-call-iptables=%s', brNetfilter => {
    beforeEach(async () => {
      await host.host.sh(`
        ip link add br9 type bridge forward_delay 0
        ip addr flush dev eth1; ip link set eth1 address fa:00:00:00:00:01; ip link set eth1 master br9
        ip addr add 198.18.1.11/24 dev br9; ip link set br9 up
        ip netns add member; ip link add m0 type veth peer name eth0 netns member
        ip link set m0 address fa:00:00:00:00:02; ip link set m0 master br9 up; ip -n member link set eth0 up
        ip -n member addr add 198.18.1.50/24 dev eth0
        ip -n member route add default via 198.18.1.11`);
      await setBrNetfilter(host, brNetfilter);
    });
    afterEach(async () => {
      await host.host.sh(`ip netns del member; ip link set eth1 nomaster
        ip link del br9 2> /dev/null || true; ip addr add 198.18.1.11/24 dev eth1`);
    });

    /** Everything of the bridge that is somebody else's to decide. */
    async function bridgeAsItIs() {
      const [link] = await ipJson(host.host, '-d', 'link', 'show', 'dev', 'br9');
      const ports = (await ipJson(host.host, 'link', 'show', 'master', 'br9')).map(port => port['ifname']);
      const { address, mtu, ifalias, operstate, linkinfo } = link ?? {};
      const data = (linkinfo as { info_data: Record<string, unknown> }).info_data;
      const settings = Object.fromEntries(Object.entries(data).filter(([key]) => !key.includes('timer')));
      return {
        address,
        mtu,
        ifalias,
        operstate,
        settings,
        ports,
        addresses: await addressesOn(host.host, 'br9'),
      };
    }

    const asMember = (...command: string[]): Promise<ExecResult> =>
      host.host.exec('ip', ['netns', 'exec', 'member', 'busybox', ...command], { reject: false });
    const memberReaches = async (address: string) =>
      (await asMember('ping', '-c2', '-W1', address)).exitCode === 0;
    const memberIsSeenAs = async () => String((await asMember('nc', '-w', '2', '198.18.1.1', '7000')).stdout);
    const whatMemberCan = async () => ({
      host: await memberReaches('198.18.1.11'),
      lan: await memberReaches('198.18.1.1'),
      seenAs: await memberIsSeenAs(),
      beyond: await memberReaches('198.18.0.1'),
    });

    it('is used as it is, and stays', async () => {
      const before = await bridgeAsItIs();
      await createNetwork(host, 'lan', ...SEGMENT, ...LAN_IS_GATEWAY, ...named('br9'));
      expect(await host.links()).toEqual([]);
      expect(await bridgeAsItIs()).toEqual(before);
      await startContainer(host, 'c1', 'lan');
      // its MAC too, which is the lowest of its ports where nobody set it
      expect(await bridgeAsItIs()).toEqual({
        ...before,
        ports: [...before.ports, expect.stringMatching(/^ts/)],
      });
      await host.docker('rm', '-f', 'c1');
      await soon(async () => expect(await bridgeAsItIs()).toEqual(before));
      await host.docker('network', 'rm', 'lan');
      expect(await bridgeAsItIs()).toEqual(before);
    });

    it('joins containers to what is on it, with their own MAC and address', async () => {
      await createNetwork(host, 'lan', ...SEGMENT, ...LAN_IS_GATEWAY, ...named('br9'));
      const c1 = await startContainer(host, 'c1', 'lan');
      const c2 = await startContainer(host, 'c2', 'lan');
      await serveName(host, 'c1');
      expect(c1.address4).toMatch(/^198\.18\.1\.1(2[89]|[3-9]\d)$/);
      for (const address of ['198.18.1.1', '198.18.1.11', '198.18.1.50', c2.address4]) {
        expect(await answers(inside('c1'), address), address).toBe(true);
      }
      expect(await seenAs(inside('c1'), '198.18.1.1')).toBe(c1.address4);
      // by the router of the LAN, not by this host
      expect(await seenAs(inside('c1'), '198.18.0.1')).toBe(c1.address4);
      expect(await neighbourOf(lab.lan, c1.address4)).toBe(c1.mac);

      expect(await talk(lab.lan, c1.address4, 80)).toBe('c1');
      expect(await talk(host.host, c1.address4, 80)).toBe('c1');
      expect(await talk(inside('c2'), c1.address4, 80)).toBe('c1');
      expect(String((await asMember('nc', '-w', '2', c1.address4, '80')).stdout)).toBe('c1');
    });

    it('masquerades containers whose gateway is the host, on the way out only', async () => {
      await createNetwork(host, 'lan', ...SEGMENT, ...HOST_IS_GATEWAY, ...named('br9'));
      const c1 = await startContainer(host, 'c1', 'lan');
      expect(await seenAs(inside('c1'), '198.18.0.1')).toBe(host.host.address);
      expect(await seenAs(inside('c1'), '198.18.1.1')).toBe(c1.address4);
      expect(await ownElements(host)).toEqual(
        [`guest4 br9 ${c1.address4}`, `guest_masquerade4 br9 ${c1.address4}`, 'same_bridge br9 br9'].sort(),
      );
      await host.docker('rm', '-f', 'c1');
      expect(await ownElements(host)).toEqual(['same_bridge br9 br9']);
    });

    it('makes no difference to the others on it', async () => {
      const before = await whatMemberCan();
      expect(before).toMatchObject({ host: true, beyond: false });
      // where frames meet Docker's FORWARD policy, others cannot cross the bridge, with tsnet or without
      expect(before.lan).toBe(brNetfilter === '0');
      await createNetwork(host, 'lan', ...SEGMENT, ...HOST_IS_GATEWAY, ...named('br9'));
      await startContainer(host, 'c1', 'lan');
      expect(await seenAs(inside('c1'), '198.18.0.1')).toBe(host.host.address);
      expect(await whatMemberCan()).toEqual(before);
    });

    it('is not made anew when it is gone', async () => {
      await createNetwork(host, 'lan', ...SEGMENT, ...HOST_IS_GATEWAY, ...named('br9'));
      await host.host.exec('ip', ['link', 'del', 'br9']);
      const words = await host.refused(
        'run',
        '-d',
        '--name',
        'c1',
        '--network',
        'lan',
        'busybox',
        'sleep',
        '1d',
      );
      expect(words).toContain('BRIDGE_MISSING: bridge br9 of network ');
      expect(await hasLink(host.host, 'br9')).toBe(false);
      await soon(async () => expect(await host.links()).toEqual([]));
    });
  });
});
