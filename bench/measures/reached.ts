import { join } from 'node:path';
import { waitFor } from '../../test/lab/wait.ts';
import type { BenchHost } from '../bench-host.ts';
import { type Case, TSNET_MACVLAN } from '../cases.ts';
import { ContainerLife, hostPorts, OFFSET } from './container-life.ts';

const KNOCK = join(import.meta.dirname, 'knock.ts');

/**
 * Shows that the LAN reaches every port that a container publishes, and none of them once it is gone.
 *
 * @throws Error that names the ports when one is not reached, or is still
 */
export async function expectReached(
  host: BenchHost,
  one: Case,
  network: string,
  count: number,
): Promise<void> {
  if (count === 0) return;
  const ports = hostPorts(count);
  const life = new ContainerLife(host, network, count);
  await life.create({ serves: true });
  await life.start();
  const address = await publishedOn(host, one, network);
  let wrong: string[] = [];
  const reached = async () => {
    const answers = await knock(host, address, ports);
    wrong = ports.map(String).filter(port => answers[port] !== String(Number(port) + OFFSET));
    return wrong.length === 0;
  };
  const what = () => `ports of ${one.name} to answer the LAN on ${address}: ${wrong.join(' ')}`;
  await waitFor(reached, { timeout: 60_000, what });
  await life.remove();
  const after = Object.entries(await knock(host, address, ports)).filter(([, words]) => words !== null);
  if (after.length > 0) throw new Error(`bench: ports of ${one.name} answer that are gone: ${after}`);
}

/** The host's address; on macvlan a container's own. */
async function publishedOn({ tsnet }: BenchHost, one: Case, network: string): Promise<string> {
  if (one !== TSNET_MACVLAN) return tsnet.host.address;
  const { IPAddress } = await tsnet.attachment(ContainerLife.NAME, network);
  return String(IPAddress);
}

async function knock(
  { lab }: BenchHost,
  address: string,
  ports: readonly number[],
): Promise<Record<string, string | null>> {
  const { stdout } = await lab.lan.exec('node', [KNOCK, address, ...ports.map(String)]);
  return JSON.parse(String(stdout));
}
