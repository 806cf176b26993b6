import { setTimeout as delay } from 'node:timers/promises';
import type { Host } from '../../test/lab/host.ts';
import type { FaultTarget } from '../world/types.ts';

/** Milliseconds that a fault which heals by itself is watched for; whether it has healed is for the judge to say. */
const HEALING = 5000;

/** Waits until a line of shell succeeds on the host, or is given up: what it is about may be gone by now. */
export async function untilHealed(host: Host, condition: string): Promise<void> {
  const deadline = performance.now() + HEALING;
  while (performance.now() < deadline) {
    if ((await host.sh(condition, { reject: false })).exitCode === 0) return;
    await delay(50);
  }
}

/** A link with tsnet's mark, read from the kernel alone: nothing here is of tsnet's own code. */
export interface MarkedLink {
  readonly name: string;
  readonly kind: 'bridge' | 'shim' | 'port' | 'other';
  /** Where it is a container's. */
  readonly endpointId?: string;
}

/** Links of the host's own namespace that bear the mark `tsnet:NETWORK[:ENDPOINT]` or `tsnet:shim:PARENT`. */
export async function markedLinks(host: Host): Promise<MarkedLink[]> {
  const { stdout } = await host.exec('ip', ['-j', '-d', 'link', 'show']);
  const rows = JSON.parse(String(stdout)) as {
    ifname: string;
    ifalias?: string;
    linkinfo?: { info_kind?: string };
  }[];
  return rows.flatMap(({ ifname, ifalias = '', linkinfo }): MarkedLink[] => {
    const [mark, owner, endpointId] = ifalias.split(':');
    if (mark !== 'tsnet') return [];
    if (owner === 'shim') return [{ name: ifname, kind: 'shim' }];
    const kind = linkinfo?.info_kind;
    if (endpointId === undefined) return [{ name: ifname, kind: kind === 'bridge' ? kind : 'other' }];
    // The other end bears the mark as well, until the engine moves it into the container.
    const isPort = kind === 'veth' && ifname.startsWith('tsv');
    return [{ name: ifname, kind: isPort ? 'port' : 'other', endpointId }];
  });
}

/** One of a list by the campaign's seed, or undefined where it is empty. */
export const oneOf = <T>({ random }: FaultTarget, list: readonly T[]): T | undefined =>
  list.length === 0 ? undefined : list[random(list.length)];

/**
 * Restarts containers that have lost a link for good: one that was inside a container is made anew only with the container.
 * One that is gone meanwhile, or whose restart fails, is left to the judge.
 */
export async function restartContainers(host: Host, names: readonly string[]): Promise<void> {
  await Promise.all(names.map(name => host.docker('restart', '-t', '0', name)));
}

/** Names of the running containers with an endpoint of that id. */
export async function containersWith(host: Host, endpointId: string): Promise<string[]> {
  const { stdout } = await host.docker('ps', '-q', '--no-trunc');
  const ids = String(stdout)
    .split('\n')
    .filter(id => id !== '');
  if (ids.length === 0) return [];
  const format = '{{.Name}}{{range .NetworkSettings.Networks}} {{.EndpointID}}{{end}}';
  const inspected = await host.docker('inspect', '-f', format, ...ids);
  return String(inspected.stdout)
    .split('\n')
    .map(line => line.split(' '))
    .flatMap(([name = '', ...endpoints]) => (endpoints.includes(endpointId) ? [name.slice(1)] : []));
}

/** What a fault ends with that heals by itself, or that has found nothing to strike. */
export const nothing = async (): Promise<void> => undefined;
