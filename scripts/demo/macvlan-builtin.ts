import Table from 'cli-table3';
import type { LabNode } from '../../test/lab/node.ts';
import type { Stage } from './stage.ts';
import { bad, good } from './terminal.ts';

/** Whether a macvlan container is reached from its host and from the LAN. */
export interface Doors {
  readonly host: boolean;
  readonly peer: boolean;
}

/** @param address bare, of a macvlan container on the demo's host */
export async function doors(stage: Stage, address: string): Promise<Doors> {
  const ping = async (from: LabNode) => {
    const args = ['ping', '-c', '2', '-W', '1', address];
    return (await from.exec('busybox', args, { reject: false })).exitCode === 0;
  };
  const [host, peer] = await Promise.all([ping(stage.host), ping(stage.peer)]);
  return { host, peer };
}

/** The same network with Docker's own driver: made, measured, removed. */
export async function builtinMacvlan(stage: Stage, options: string): Promise<Doors> {
  await stage.docker(`network create -d macvlan ${options} old`);
  await stage.run('old1', 'old');
  const found = await doors(stage, await stage.addressOf('old1'));
  await stage.docker('rm -f old1');
  await stage.docker('network rm old');
  return found;
}

/** The highlight: the two drivers side by side. */
export function sideBySide(builtin: Doors, tsnet: Doors): string {
  const table = new Table({
    style: { head: [], border: [], compact: true },
    head: ['a container on eth0, reached from', '-d macvlan', '-d tsnet'],
  });
  const word = (reached: boolean) => (reached ? good('yes') : bad('-'));
  table.push(['its own host', word(builtin.host), word(tsnet.host)]);
  table.push(['the LAN', word(builtin.peer), word(tsnet.peer)]);
  return table.toString();
}
