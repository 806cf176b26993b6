import Table from 'cli-table3';
import type { ExecResult } from '../../test/lab/node.ts';
import type { Stage } from './stage.ts';
import { bad, good } from './terminal.ts';

/** Someone who reaches others and is reached. */
export interface Member {
  readonly name: string;
  readonly address: string;
  /** Where it is: `host`, `LAN`, or its network's name. */
  readonly place: string;
}

/** Places of members that are no containers. */
const NODES: readonly string[] = ['host', 'LAN'];
/** Networks of mode macvlan in the demo: their members are on the LAN. */
const ON_LAN: readonly string[] = ['LAN', 'lan'];

/** The host, the other machine of the LAN, and every container, in a stable order. */
export async function members(stage: Stage): Promise<Member[]> {
  const containers = (await stage.attachments())
    .map(({ container, address, network }) => ({ name: container, address, place: network }))
    .sort((a, b) => a.place.localeCompare(b.place) || a.name.localeCompare(b.name));
  return [
    { name: 'host', address: stage.host.address, place: 'host' },
    { name: 'LAN peer', address: stage.peer.address, place: 'LAN' },
    ...containers,
  ];
}

/** What docs/modes promises. */
export function promised(from: Member, to: Member): boolean {
  if (from.place === to.place || from.place === 'host') return true;
  // a bridge network reaches out behind the host's address; nobody reaches in
  return to.place === 'host' || ON_LAN.includes(to.place);
}

/** Which addresses answer, of all that are pinged from one place at the same time. */
async function answering(stage: Stage, from: Member, to: readonly string[]): Promise<Set<string>> {
  const once = 'busybox ping -c 1 -W 1 $a > /dev/null 2>&1';
  const line = `for a in ${to.join(' ')}; do { { ${once} || ${once}; } && echo $a; } & done; wait`;
  const result: ExecResult = NODES.includes(from.place)
    ? await (from.place === 'host' ? stage.host : stage.peer).exec('busybox', ['sh', '-c', line])
    : await stage.host.dockerWith({ reject: true }, 'exec', from.name, 'sh', '-c', line);
  return new Set(String(result.stdout).split('\n'));
}

/** Pings from everyone to everyone. @returns the table, and what is not as promised */
export async function reachMatrix(stage: Stage): Promise<Judged> {
  const all = await members(stage);
  const addresses = all.map(to => to.address);
  const rows = await Promise.all(all.map(from => answering(stage, from, addresses)));
  return judge(all, (from, to) => rows[all.indexOf(from)]?.has(to.address) ?? false);
}

/** Who reaches whom, as a table, and in words what is not as promised. */
export interface Judged {
  readonly table: string;
  readonly broken: string[];
}

/** Compares what was measured with what is promised. @param reached whether a ping was answered */
export function judge(all: readonly Member[], reached: (from: Member, to: Member) => boolean): Judged {
  const broken: string[] = [];
  const head = ['from \\ to', ...all.map(to => to.name)];
  const table = new Table({ style: { head: [], border: [], compact: true }, head });
  for (const from of all) {
    const cells = all.map(to => {
      if (from === to) return '';
      const answered = reached(from, to);
      const word = answered ? 'yes' : '-';
      if (answered === promised(from, to)) return answered ? good(word) : word;
      broken.push(`${from.name} ${answered ? 'reaches' : 'does not reach'} ${to.name} (${to.address})`);
      return bad(`${word} (!)`);
    });
    table.push([NODES.includes(from.place) ? from.name : `${from.name} (${from.place})`, ...cells]);
  }
  return { table: table.toString(), broken };
}
