import Table from 'cli-table3';
import { isMarked, isShimMark, ROUTE_PROTOCOL } from '../../src/host-state/mark.ts';
import { waitFor } from '../../test/lab/wait.ts';
import type { Attachment, Stage } from './stage.ts';

interface IpLink {
  ifname: string;
  ifalias?: string;
  linkinfo?: { info_kind?: string };
}
interface IpRoute {
  dst: string;
  dev: string;
  prefsrc?: string;
}

async function ipJson<T>(stage: Stage, ...args: string[]): Promise<T[]> {
  const { stdout } = await stage.host.exec(args[0] ?? '', args.slice(1));
  return stdout === '' ? [] : JSON.parse(String(stdout));
}

/** What an alias says, in words. */
function role(alias: string, attachments: readonly Attachment[]): string {
  if (isShimMark(alias)) return `the host's door to the containers on ${alias.split(':')[2]}`;
  const [, networkId, endpointId] = alias.split(':');
  const found = attachments.find(one =>
    endpointId === undefined ? one.networkId === networkId : one.endpointId === endpointId,
  );
  return endpointId === undefined
    ? `bridge and gateway of network ${found?.network}`
    : `${found?.container} on network ${found?.network}`;
}

const kindOf = (link: IpLink | undefined): string => link?.linkinfo?.info_kind ?? '';

/** What tsnet has made in the kernel, as `ip -j` sees it: on the host and in the macvlan containers. */
export async function hostLinks(stage: Stage): Promise<string> {
  const attachments = await stage.attachments();
  const table = new Table({
    style: { head: [], border: [], compact: true },
    head: ['where', 'what', 'kind', 'role'],
  });
  for (const link of await ipJson<IpLink>(stage, 'ip', '-j', '-d', 'link')) {
    if (isMarked(link.ifalias)) {
      table.push(['host', link.ifname, kindOf(link), role(link.ifalias ?? '', attachments)]);
    }
  }
  for (const { container, network, pid } of attachments) {
    const enter = ['nsenter', '-t', String(pid), '-n', 'ip', '-j', '-d', 'link', 'show', 'dev', 'eth0'];
    const [link] = await ipJson<IpLink>(stage, ...enter);
    if (kindOf(link) === 'macvlan')
      table.push([container, 'eth0', 'macvlan', `its link to network ${network}`]);
  }
  for (const { dst, dev, prefsrc } of await routes(stage)) {
    const to = attachments.find(one => one.address === dst)?.container;
    table.push(['host', `${dst} dev ${dev}`, 'route', `host to ${to}, from ${prefsrc}`]);
  }
  return table.toString();
}

async function routes(stage: Stage): Promise<IpRoute[]> {
  return ipJson<IpRoute>(stage, 'ip', '-j', 'route', 'show', 'proto', String(ROUTE_PROTOCOL));
}

/**
 * How many links and routes on the host bear tsnet's mark, once it has been told to remove all: links go in the background,
 * within two seconds.
 */
export async function leftovers(stage: Stage): Promise<number> {
  const count = async () => (await stage.tsnet.links()).length + (await routes(stage)).length;
  let left = await count();
  const isClean = async () => {
    left = await count();
    return left === 0;
  };
  // how many there are is the answer, and no error
  await waitFor(isClean, { timeout: 2000, what: 'links and routes to be gone' }).catch(() => undefined);
  return left;
}
