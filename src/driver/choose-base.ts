import { TsnetError } from '../errors.ts';
import { isMarked, networkMark } from '../host-state/mark.ts';
import { bridgeName, dummyName } from '../host-state/names.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { LinkInfo } from '../kernel/link-info.ts';
import type { Network, NetworkOptions } from '../model.ts';
import { nearest } from './nearest.ts';

type Base = Network['base'];

/**
 * Decides what a new network's links hang on. Reads the kernel, changes nothing.
 * @param others the networks that exist, without the new one
 * @throws TsnetError NOT_A_BRIDGE, LINK_TAKEN, PARENT_*, MTU_TOO_LARGE
 */
export async function chooseBase(
  id: string,
  options: NetworkOptions,
  others: readonly Network[],
  kernel: Kernel,
): Promise<Base> {
  if (options.mode === 'bridge') return bridgeBase(id, options, others, kernel);
  if (options.parent !== undefined) return parentBase(options.parent, options, others, kernel);
  return { kind: 'own', link: dummyName(id), type: (await kernel.hasDummy()) ? 'dummy' : 'bridge' };
}

async function bridgeBase(
  id: string,
  options: NetworkOptions,
  others: readonly Network[],
  kernel: Kernel,
): Promise<Base> {
  const link = options.bridgeName ?? bridgeName(id);
  if (others.some(other => other.base.link === link && other.base.kind === 'own')) {
    throw new TsnetError('NOT_A_BRIDGE', `link ${link} is the bridge of another tsnet network`);
  }
  const info = await kernel.link(link);
  if (info === undefined || info.alias === networkMark(id)) return { kind: 'own', link, type: 'bridge' };
  if (info.kind !== 'bridge') {
    throw new TsnetError('NOT_A_BRIDGE', `link ${link} is of kind ${info.kind ?? 'hardware'}`);
  }
  if (options.bridgeName === undefined || isMarked(info.alias)) {
    throw new TsnetError('LINK_TAKEN', `link ${link} exists already`);
  }
  return { kind: 'foreign', link, type: 'bridge' };
}

async function parentBase(
  parent: string,
  options: NetworkOptions,
  others: readonly Network[],
  kernel: Kernel,
): Promise<Base> {
  const links = await kernel.links();
  const info = links.find(link => link.name === parent);
  if (info === undefined) throw missing(parent, links);
  const refuse = (code: ConstructorParameters<typeof TsnetError>[0], why: string): never => {
    throw new TsnetError(code, `parent ${parent} ${why}`);
  };
  if (info.loopback) refuse('PARENT_LOOPBACK', 'is the loopback link');
  if (await kernel.isWireless(parent)) refuse('PARENT_WIFI', 'is a wireless link');
  if (info.master !== undefined) {
    const master = links.find(link => link.index === info.master);
    refuse('PARENT_BUSY', `is a port of ${master?.name ?? `link ${info.master}`}`);
  }
  const ipvlan = links.find(
    l => l.kind === 'ipvlan' && l.parent === info.index && l.parentNetnsId === undefined,
  );
  if (ipvlan !== undefined) refuse('PARENT_BUSY', `carries the ipvlan link ${ipvlan.name}`);
  const rival = others.find(
    o =>
      o.base.link === parent && (o.options.macvlanMode === 'passthru' || options.macvlanMode === 'passthru'),
  );
  if (rival !== undefined) {
    refuse(
      'PARENT_BUSY',
      `is used by network ${rival.name ?? rival.id.slice(0, 12)}, and passthru admits one network`,
    );
  }
  if (options.mtu > info.mtu) {
    throw new TsnetError(
      'MTU_TOO_LARGE',
      `MTU ${options.mtu} is above that of parent ${parent}, ${info.mtu}`,
    );
  }
  return { kind: 'foreign', link: parent, type: 'parent' };
}

function missing(parent: string, links: readonly LinkInfo[]): TsnetError {
  const candidates = links.filter(link => !link.loopback && !isMarked(link.alias)).map(link => link.name);
  const list = candidates.length === 0 ? 'none' : candidates.join(', ');
  const hint = candidates.length === 0 ? '' : `; ${nearest(parent, candidates)} is the nearest`;
  return new TsnetError(
    'PARENT_MISSING',
    `parent ${parent} does not exist, the links here are ${list}${hint}`,
  );
}
