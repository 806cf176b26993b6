import type { Host } from '../../test/lab/host.ts';
import type { Fault } from '../world/types.ts';
import { markedLinks, nothing, oneOf, untilHealed } from './ask.ts';

/** Something of the host's rules is removed by hand, and heals by itself. */
const healing = (kind: string, damage: string, healed: string): Fault => ({
  kind,
  strike: async ({ host }) => {
    await host.sh(damage, { reject: false });
    return () => untilHealed(host, healed);
  },
});

const HAS_RULES = 'nft list chain inet tsnet publish | grep -q goto';

export const tableDeleted = healing('nft-table-deleted', 'nft delete table inet tsnet', HAS_RULES);
/** The chains stay, and with them the policy; all rules are gone. */
export const tableFlushed = healing('nft-table-flushed', 'nft flush table inet tsnet', HAS_RULES);
/** What is published, and which bridges there are: every set and map is emptied, in one go. */
/** What is published, and which bridges there are: every set and map is emptied, in one go. */
export const setsFlushed: Fault = {
  kind: 'nft-sets-flushed',
  strike: async ({ host }) => {
    const before = await filledSets(host);
    const lines = before.map(({ type, name }) => `flush ${type} inet tsnet ${name}\n`);
    await host.exec('nft', ['-f', '-'], { input: lines.join(''), reject: false });
    const [first] = before;
    return async () => {
      // Which bridges there are is known as long as there is a network; all sets are filled in one go.
      if (first !== undefined)
        await untilHealed(host, `nft list ${first.type} inet tsnet ${first.name} | grep -q elements`);
    };
  },
};
export const dockerUserFlushed = healing(
  'docker-user-flushed',
  'iptables -F DOCKER-USER; ip6tables -F DOCKER-USER 2> /dev/null',
  'iptables -S DOCKER-USER | grep -q 0x10000000/0x10000000',
);

/** What a shim leads by is removed by hand. */
const ofShim = (
  kind: string,
  damage: (shim: string) => string,
  isThere: (shim: string) => string,
): Fault => ({
  kind,
  strike: async target => {
    const { host } = target;
    const shim = oneOf(
      target,
      (await markedLinks(host)).filter(link => link.kind === 'shim'),
    )?.name;
    if (shim === undefined) return nothing;
    const had = (await host.sh(isThere(shim), { reject: false })).exitCode === 0;
    await host.sh(damage(shim), { reject: false });
    return () => (had ? untilHealed(host, isThere(shim)) : nothing());
  },
});

export const shimRoutesFlushed = ofShim(
  'shim-routes-flushed',
  shim => `ip route flush dev ${shim}; ip -6 route flush dev ${shim} proto 116`,
  shim => `ip route show dev ${shim} proto 116 | grep -q .`,
);
export const shimNeighboursFlushed = ofShim(
  'shim-neighbours-flushed',
  shim => `ip neigh flush dev ${shim} nud permanent`,
  shim => `ip neigh show dev ${shim} nud permanent | grep -q .`,
);

export const RULE_FAULTS: readonly Fault[] = [
  tableDeleted,
  tableFlushed,
  setsFlushed,
  dockerUserFlushed,
  shimRoutesFlushed,
  shimNeighboursFlushed,
];

interface FilledSet {
  readonly type: 'set' | 'map';
  readonly name: string;
}

async function filledSets(host: Host): Promise<FilledSet[]> {
  const { stdout, exitCode } = await host.exec('nft', ['-j', 'list', 'table', 'inet', 'tsnet'], {
    reject: false,
  });
  if (exitCode !== 0) return [];
  const { nftables } = JSON.parse(String(stdout)) as {
    nftables: Partial<Record<FilledSet['type'], { name: string; elem?: unknown[] }>>[];
  };
  return nftables.flatMap(object =>
    (['set', 'map'] as const).flatMap(type => {
      const found = object[type];
      return found?.elem === undefined ? [] : [{ type, name: found.name }];
    }),
  );
}
