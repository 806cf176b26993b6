import { join } from 'node:path';
import type { Child } from '../../lab/child.ts';
import type { LabNode } from '../../lab/node.ts';
import { cacheDir } from '../../lab/paths.ts';
import { waitFor } from '../../lab/wait.ts';

const ECHO_SERIES = join(import.meta.dirname, '../fixtures/echo-series.ts');

/** Copies ufw and firewalld, as scripts/setup/packages.sh has unpacked them, over a node's file system. */
export async function installFirewalls(node: LabNode): Promise<void> {
  const files = join(cacheDir(), 'firewalls');
  await node.exec('cp', ['-a', `${files}/etc`, `${files}/usr`, '/']);
}

/** A bus for root alone. It starts nothing on demand, so that there is no polkit to ask for permission. */
const BUS = `<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>`;

/** Starts the bus that firewalld and its clients meet on; it ends with the node. */
export async function startBus(node: LabNode): Promise<void> {
  await node.exec('mkdir', ['-p', '/run/dbus']);
  await node.exec('tee', ['/run/dbus/bus.conf'], { input: BUS });
  await node.spawn('dbus-daemon', ['--nofork', '--config-file=/run/dbus/bus.conf']);
  await waitFor(
    async () =>
      (await node.exec('test', ['-S', '/run/dbus/system_bus_socket'], { reject: false })).exitCode === 0,
    {
      what: 'the message bus',
    },
  );
}

/** Starts firewalld and waits until its rules are there. */
export async function startFirewalld(node: LabNode): Promise<Child> {
  const child = await node.spawn('firewalld', ['--nofork', '--nopid']);
  await waitFor(
    async () => (await node.exec('firewall-cmd', ['--state'], { reject: false })).exitCode === 0,
    {
      what: () => `firewalld to run:\n${child.output()}`,
    },
  );
  return child;
}

/** Runs firewall-cmd. @returns what it printed */
export const firewallCmd = async (node: LabNode, ...args: string[]): Promise<string> =>
  String((await node.exec('firewall-cmd', args)).stdout).trim();

/** Runs a command of ufw. @param command its arguments, none of which has a space in it */
export async function ufw(node: LabNode, command: string): Promise<void> {
  await node.exec('ufw', command.split(' '));
}

/** A TCP connection on which something is said twenty times a second, and has to come back. */
export class EchoSeries {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  /** Connects to a server that echoes, and waits for the first answer. */
  static async start(from: LabNode, address: string, port: number): Promise<EchoSeries> {
    const series = new EchoSeries(await from.spawn('node', [ECHO_SERIES, address, String(port)]));
    await series.more(1);
    return series;
  }

  /** Waits for further answers. @throws Error when the connection ends or is silent for ten seconds */
  async more(count: number): Promise<void> {
    const goal = this.#answered() + count;
    const words = () => this.#child.output().slice(-200);
    await waitFor(() => this.#answered() >= goal || !this.#child.running, {
      what: () => `${count} more echoes:\n${words()}`,
    });
    if (!this.#child.running) throw new Error(`the connection ended:\n${words()}`);
  }

  async stop(): Promise<void> {
    await this.#child.stop('SIGKILL');
  }

  #answered(): number {
    return this.#child.output().split('\n').length - 1;
  }
}
