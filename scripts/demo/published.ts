import Table from 'cli-table3';
import type { LabNode } from '../../test/lab/node.ts';
import type { Stage } from './stage.ts';
import { bad, good, step } from './terminal.ts';

const ON_BRIDGE = 8080;
const ON_LAN = 80;

/** Publishes a port on each network and shows who gets through. @returns what is not as promised */
export async function publishedPorts(stage: Stage): Promise<string[]> {
  const { host, peer } = stage;
  await serve(stage, 'shop', 'web', `${ON_BRIDGE}:80`);
  await serve(stage, 'lamp', 'lan', `${ON_LAN}:8080`);
  const lamp = await stage.addressOf('lamp');
  const web2 = { exec: (...args: string[]) => stage.host.docker('exec', 'web2', ...args) };

  const table = new Table({
    style: { head: [], border: [], compact: true },
    head: ['from', 'to', 'answers'],
  });
  const broken: string[] = [];
  const show = (from: string, to: string, answer: string, wanted: string) => {
    table.push([from, to, answer === wanted ? good(answer) : bad(answer || '-')]);
    if (answer !== wanted) broken.push(`${from} does not get through to ${to}`);
  };
  const own = host.address;
  show('LAN peer', `${own}:${ON_BRIDGE}`, await ask(peer, own, ON_BRIDGE), 'shop');
  for (const address of [own, '127.0.0.1', '::1'])
    show('the host', `${text(address)}:${ON_BRIDGE}`, await ask(host, address, ON_BRIDGE), 'shop');
  const { stdout } = await web2.exec('nc', '-w', '2', own, String(ON_BRIDGE));
  show('web2', `${own}:${ON_BRIDGE}`, String(stdout).trim(), 'shop');
  show('LAN peer', `${lamp}:${ON_LAN}, its own address`, await ask(peer, lamp, ON_LAN), 'lamp');
  show('the host', `${lamp}:${ON_LAN}`, await ask(host, lamp, ON_LAN), 'lamp');
  console.log(table.toString());

  await step(
    'tsnet ports',
    async () => String((await host.exec(stage.program, ['ports'])).stdout),
    list => list.replaceAll('\n', '\n  '),
  );
  await stage.docker('rm -f shop lamp');
  return broken;
}

/** Starts a container that says its name to whoever connects. */
async function serve(stage: Stage, name: string, network: string, port: string): Promise<void> {
  const inside = port.split(':')[1];
  await stage.docker(
    `run -d --name ${name} --network ${network} -p ${port} busybox nc -ll -p ${inside} -e echo ${name}`,
    () => `${name} has ${port}`,
  );
}

/** What a server says first; empty where nobody answers. @param address bare */
async function ask(from: LabNode, address: string, port: number): Promise<string> {
  const attempt = async () =>
    String((await from.exec('busybox', ['nc', '-w', '2', address, String(port)], { reject: false })).stdout);
  // A container of an engine before 28 has its ports redirected a moment after it runs.
  return ((await attempt()) || (await attempt())).trim();
}

const text = (address: string): string => (address.includes(':') ? `[${address}]` : address);
