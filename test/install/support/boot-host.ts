import { join } from 'node:path';
import { LAN4 } from '../../engine/support/macvlan-lab.ts';
import type { Generation } from '../../lab/engines.ts';
import { REPOSITORY } from '../../lab/paths.ts';
import { waitFor } from '../../lab/wait.ts';
import { hears, serveHello } from './install-lab.ts';
import { SystemdHost } from './systemd-host.ts';

/** What serves the networks of a host: tsnet as a service, tsnet as a managed plugin, or the engine by itself. */
export type Driver = 'daemon' | 'plugin' | 'none';

/** How a host goes down. */
export type End = 'reboot' | 'power loss';

/** Seconds of one boot. */
export interface BootTimes {
  /** From the start of systemd until docker.service is there, that is, until the engine has started its containers. */
  readonly whole: number;
  /** Of that, from the start of docker.service on. */
  readonly engine: number;
}

const PLUGIN = 'tsnet-plugin';
/** Of the container that is on the LAN with an address of its own. */
const OWN_ADDRESS = '198.18.0.200';

/** A host under systemd whose containers, on a bridge and a macvlan network, are to run again after every boot. */
export class BootHost implements AsyncDisposable {
  readonly driver: Driver;
  readonly host: SystemdHost;

  private constructor(driver: Driver, host: SystemdHost) {
    this.driver = driver;
    this.host = host;
  }

  static async create(driver: Driver, engine: Generation): Promise<BootHost> {
    const made = new BootHost(driver, await SystemdHost.create({ disk: 'dir', engine }));
    try {
      await made.#install();
      await made.#populate();
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Goes down and up again. @returns when its engine has started all containers */
  async boot(end: End): Promise<BootTimes> {
    await (end === 'reboot' ? this.host.restart() : this.host.reboot());
    const engineUp = async () => (await this.host.property('docker.service', 'ActiveState')) === 'active';
    await waitFor(engineUp, { timeout: 60_000, what: 'docker.service to be up' });
    const time = async (unit: string, name: string) => Number(await this.host.property(unit, name)) / 1e6;
    const [start, engineStart, ready] = await Promise.all([
      this.host.sh('systemctl show --value -p UserspaceTimestampMonotonic').then(text => Number(text) / 1e6),
      time('docker.service', 'InactiveExitTimestampMonotonic'),
      time('docker.service', 'ActiveEnterTimestampMonotonic'),
    ]);
    return { whole: ready - start, engine: ready - engineStart };
  }

  /** Waits until all containers run and are reached by address, published port and from each other. */
  async isWhole(): Promise<void> {
    const names = (await this.host.docker('ps', '--format', '{{.Names}}')).split('\n').sort().join(' ');
    if (names !== 'both1 lan1 web1 web2') throw new Error(`of the containers these run: ${names}`);
    await hears(this.host, '127.0.0.1:80');
    await hears(this.host, '198.18.64.9:80');
    const ping = ['exec', 'web2', 'ping', '-c', '1', '-W', '2', '198.18.64.9'];
    const answers = async () => (await this.host.exec('docker', ping, { reject: false })).exitCode === 0;
    await waitFor(answers, { what: 'web1 to answer web2' });
    if (this.driver === 'none') return;
    // The engine's own macvlan: the host does not reach its containers.
    await hears(this.host, `${OWN_ADDRESS}:81`);
    await hears(this.host, '127.0.0.1:82');
  }

  /** Lines in which the engine speaks of a driver that is not there, or that refuses, since the last boot. */
  async complaints(): Promise<string[]> {
    const journal = await this.host.journal('-u', 'docker.service', '-o', 'cat');
    const ofDriver =
      /retrying in|unable to locate plugin|legacy plugin|remote: |NetworkDriver\.|IpamDriver\./i;
    return journal.split('\n').filter(line => ofDriver.test(line) && !/ plugin=\w+/.test(line));
  }

  /** What tsnet has written since the last boot. */
  async log(): Promise<string[]> {
    if (this.driver === 'daemon') return (await this.host.journal('-t', 'tsnet', '-o', 'cat')).split('\n');
    const journal = await this.host.journal('-u', 'docker.service', '-o', 'cat');
    return journal.split('\n').filter(line => / plugin=\w+/.test(line));
  }

  async #install(): Promise<void> {
    const { host, driver } = this;
    await host.exec('systemctl', ['--quiet', 'enable', '--now', 'docker.service']);
    await host.loadImage();
    if (driver === 'daemon') await host.sh(join(REPOSITORY, 'scripts/install/install.sh'));
    if (driver === 'plugin') {
      await host.docker('plugin', 'create', PLUGIN, join(REPOSITORY, 'dist/plugin'));
      await host.docker('plugin', 'enable', PLUGIN);
    }
  }

  async #populate(): Promise<void> {
    const { host, driver } = this;
    const [bridge, macvlan] = driver === 'none' ? ['bridge', 'macvlan'] : ['tsnet', 'tsnet'];
    const create = ['network', 'create', '-d'];
    const lan = [...LAN4, '--ip-range', '198.18.0.192/27', '-o', 'parent=eth0'];
    const publishes = driver === 'none' ? [] : ['-o', 'publish=both'];
    await host.docker(...create, bridge, '--subnet', '198.18.64.0/24', 'web');
    await host.docker(...create, macvlan, ...lan, ...publishes, 'lan');
    const start = (name: string, ...args: string[]) =>
      serveHello(host, name, '--restart', 'always', '--stop-signal', 'KILL', ...args);
    await start('web1', '--network', 'web', '--ip', '198.18.64.9', '-p', '80:80');
    await start('web2', '--network', 'web');
    await start('lan1', '--network', 'lan', '--ip', OWN_ADDRESS, '-p', '81:80');
    await start('both1', '--network', 'web', '-p', '82:80');
    await host.docker('network', 'connect', 'lan', 'both1');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]();
  }
}
