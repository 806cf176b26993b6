import type { TsnetHost } from '../../engine/support/tsnet-host.ts';
import { waitFor } from '../../lab/wait.ts';
import type { EventStep } from '../../replay/trace.ts';

/** Something that users do, from nothing to nothing; everything that the engine could choose is given. */
export interface Scene {
  readonly name: string;
  /** The first generation that can be asked for it. */
  readonly since?: number;
  play(host: TsnetHost, note: (event: EventStep['event']) => Promise<void>): Promise<void>;
}

const create = (host: TsnetHost, name: string, ...options: string[]) =>
  host.docker('network', 'create', '-d', 'tsnet', ...options, name);
const run = (host: TsnetHost, name: string, network: string, ...options: string[]) =>
  host.docker(...RUN, '--name', name, '--network', network, ...options, 'busybox', 'sleep', '1d');
const RUN = ['run', '-d', '--stop-timeout', '0'];

const POOL4 = ['--subnet', '198.18.40.0/24', '--gateway', '198.18.40.1', '--aux-address', 'nas=198.18.40.9'];
const POOL6 = ['--ipv6', '--subnet', '2001:db8:40::/64', '--gateway', '2001:db8:40::1'];
const OWN_IPAM = ['--ipam-driver', 'tsnet', ...POOL4, ...POOL6];
const FIXED = ['--ip', '198.18.40.10', '--ip6', '2001:db8:40::10'];
const PORTS = ['-p', '8080:80', '-p', '127.0.0.1:9000-9001:90-91/udp'];

export const SCENES: readonly Scene[] = [
  {
    name: 'a container on a bridge of both families, with addresses of tsnet: run, restart, stop, rm',
    async play(host) {
      await create(host, 'web', ...OWN_IPAM);
      await run(host, 'c1', 'web', ...FIXED, ...PORTS);
      await host.docker('restart', '-t', '0', 'c1');
      await host.docker('stop', '-t', '0', 'c1');
      await host.docker('rm', 'c1');
      await host.docker('network', 'rm', 'web');
    },
  },
  {
    name: 'a network that becomes the way out of a running container, and ceases to be',
    async play(host) {
      await create(host, 'nz', '--subnet', '198.18.41.0/24');
      await create(host, 'na', '--subnet', '198.18.42.0/24');
      await run(host, 'c1', 'nz', '--ip', '198.18.41.10', '-p', '8080:80');
      await host.docker('network', 'connect', '--ip', '198.18.42.10', 'na', 'c1');
      await host.docker('network', 'disconnect', 'na', 'c1');
      await host.docker('rm', '-f', 'c1');
      await host.docker('network', 'rm', 'na', 'nz');
    },
  },
  {
    name: 'addresses that tsnet chooses',
    async play(host) {
      await create(host, 'web', '--ipam-driver', 'tsnet');
      await run(host, 'c1', 'web', '-p', '8080:80');
      await host.docker('rm', '-f', 'c1');
      await host.docker('network', 'rm', 'web');
    },
  },
  {
    name: 'IPv6 alone',
    since: 28,
    async play(host) {
      const pool6 = ['--ipv4=false', ...POOL6];
      await create(host, 'web', '--ipam-driver', 'tsnet', ...pool6);
      await run(host, 'c1', 'web', '--ip6', '2001:db8:40::10', '-p', '[::]:8080:80');
      await host.docker('rm', '-f', 'c1');
      await host.docker('network', 'rm', 'web');
    },
  },
  {
    name: 'an internal network',
    async play(host) {
      await create(host, 'inner', '--internal', '--subnet', '198.18.43.0/24');
      await run(host, 'c1', 'inner', '--ip', '198.18.43.10', '-p', '8080:80');
      await host.docker('rm', '-f', 'c1');
      await host.docker('network', 'rm', 'inner');
    },
  },
  {
    name: 'a container on the LAN',
    async play(host) {
      await create(host, 'lan', '--subnet', '198.18.0.0/24', '--gateway', '198.18.0.1', '-o', 'parent=eth0');
      await run(host, 'c1', 'lan', '--ip', '198.18.0.210', '-p', '80:8080');
      await host.docker('rm', '-f', 'c1');
      await host.docker('network', 'rm', 'lan');
    },
  },
  {
    name: 'what is refused: an option, an address that is taken, a port that is taken',
    async play(host) {
      await host.refused('network', 'create', '-d', 'tsnet', '-o', 'paretn=eth0', 'typo');
      await create(host, 'web', ...OWN_IPAM);
      await run(host, 'c1', 'web', ...FIXED, '-p', '8080:80');
      const second = [...RUN, '--name', 'c2', '--network', 'web'];
      await host.refused(...second, '--ip', '198.18.40.10', 'busybox');
      await host.docker('rm', 'c2');
      await host.refused(...second, '--ip', '198.18.40.11', '-p', '8080:80', 'busybox');
      await host.docker('rm', '-f', 'c1', 'c2');
      await host.docker('network', 'rm', 'web');
    },
  },
  {
    name: 'an interface name that is taken: Join is refused',
    async play(host) {
      await create(host, 'nz', '--subnet', '198.18.47.0/24');
      await create(host, 'na', '--subnet', '198.18.48.0/24');
      await run(host, 'c1', 'nz', '--ip', '198.18.47.10', '-p', '8080:80');
      const name = ['--driver-opt', 'com.docker.network.endpoint.ifname=eth0'];
      await host.refused('network', 'connect', ...name, '--ip', '198.18.48.10', 'na', 'c1');
      await host.docker('rm', '-f', 'c1');
      await host.docker('network', 'rm', 'na', 'nz');
    },
  },
  {
    name: 'the engine stops and starts, with a container that is to be restarted',
    async play(host) {
      await create(host, 'web', ...OWN_IPAM);
      await run(host, 'c1', 'web', ...FIXED, ...PORTS, '--restart', 'always');
      await host.host.stopEngine();
      await host.host.startEngine();
      await isRunning(host, 'c1');
      await host.docker('rm', '-f', 'c1');
      await host.docker('network', 'rm', 'web');
    },
  },
  {
    name: 'the engine is killed with its containers, and tells of them when it is back',
    async play(host, note) {
      await create(host, 'web', ...OWN_IPAM);
      await run(host, 'c1', 'web', ...FIXED, ...PORTS);
      await host.host.stopEngine('KILL');
      await note('containers died');
      await host.host.startEngine();
      await host.docker('rm', '-f', 'c1');
      await host.docker('network', 'rm', 'web');
    },
  },
  {
    name: 'the engine is killed with its containers, and says nothing of them, for it has not needed its driver yet',
    async play(host, note) {
      await create(host, 'web', '--subnet', '198.18.46.0/24');
      await run(host, 'c1', 'web', '--ip', '198.18.46.10', '-p', '8080:80');
      await host.host.stopEngine('KILL');
      await note('containers died');
      await host.host.startEngine();
      await host.docker('start', 'c1');
      await host.docker('rm', '-f', 'c1');
      await host.docker('network', 'rm', 'web');
    },
  },
  {
    name: 'the engine is killed and its containers outlive it (live-restore)',
    async play(host) {
      await host.host.stopEngine();
      await host.host.startEngine(['--live-restore']);
      await create(host, 'web', '--subnet', '198.18.44.0/24');
      await run(host, 'c1', 'web', '--ip', '198.18.44.10', '-p', '8080:80');
      await host.host.stopEngine('KILL');
      await host.host.startEngine(['--live-restore']);
      await isRunning(host, 'c1');
      await create(host, 'way', '--subnet', '198.18.45.0/24');
      // its name comes first: it is the new way out, which takes the published port along
      await host.docker('network', 'connect', '--ip', '198.18.45.10', 'way', 'c1');
      await host.docker('network', 'disconnect', 'way', 'c1');
      await host.docker('rm', '-f', 'c1');
      await host.docker('network', 'rm', 'way', 'web');
    },
  },
  {
    name: 'tsnet is killed and starts again under a running container',
    async play(host, note) {
      await create(host, 'web', ...OWN_IPAM);
      await run(host, 'c1', 'web', ...FIXED, ...PORTS);
      await host.stop('KILL');
      await note('tsnet restarted');
      await host.start('--socket', BEHIND);
      await host.docker('restart', '-t', '0', 'c1');
      await host.docker('rm', '-f', 'c1');
      await host.docker('network', 'rm', 'web');
    },
  },
];

/** Where the daemon listens that is listened in on. */
export const BEHIND = '/run/tsnet-behind.sock';

const isRunning = (host: TsnetHost, name: string) =>
  waitFor(async () => (await host.docker('inspect', '-f', '{{.State.Running}}', name)) === 'true', {
    what: `${name} to run`,
  });
