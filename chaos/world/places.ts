import type { Mode } from './types.ts';

/** Where a network of the campaign may lie; no two that exist at once share one. */
export interface Place {
  /** Distinguishes it from all others, and names the network. */
  readonly name: string;
  readonly modes: readonly Mode[];
  readonly subnet4: string;
  /** Bare. */
  readonly gateway4: string;
  /** CIDR that the IPAM chooses from; addresses that are asked for lie outside. */
  readonly range4: string;
  /** First three bytes, and the last byte of the first address that may be asked for. */
  readonly asked: readonly [prefix: string, first: number];
  /** CIDR and gateway (bare); absent: IPv4 only. */
  readonly v6?: { readonly subnet: string; readonly gateway: string; readonly range?: string };
  /** The IPAM drivers that can serve it beside its neighbours in the same subnet. */
  readonly ipams: readonly ('default' | 'tsnet')[];
  readonly parent?: string;
}

/** The bridge that the host has besides tsnet, as its administrator made it; it carries this address. */
export const FOREIGN = { link: 'own0', address: '198.18.60.1/24' } as const;

const BRIDGES = 6;
const bridges = Array.from({ length: BRIDGES }, (_, k): Place => {
  const byte = 64 + k;
  return {
    // No name may look like the beginning of an id: the engine would find that thing where there is none of the name.
    name: `web${k}`,
    modes: k < 3 ? ['bridge'] : ['bridge', 'bridge-internal', 'bridge-isolated'],
    subnet4: `198.18.${byte}.0/24`,
    gateway4: `198.18.${byte}.1`,
    range4: `198.18.${byte}.128/25`,
    asked: [`198.18.${byte}`, 20],
    ...(k % 2 === 1 ? { v6: { subnet: `2001:db8:${byte}::/64`, gateway: `2001:db8:${byte}::1` } } : {}),
    ipams: ['default', 'tsnet'],
  };
});

const foreign: Place = {
  name: 'own',
  modes: ['bridge-foreign'],
  subnet4: '198.18.60.0/24',
  gateway4: '198.18.60.1',
  range4: '198.18.60.128/25',
  asked: ['198.18.60', 20],
  ipams: ['default', 'tsnet'],
  parent: FOREIGN.link,
};

/** Docker's own IPAM gives an address once: only one network of a LAN can have it and the LAN's gateway. */
const lans = [0, 1].flatMap(card =>
  [0, 1].map((k): Place => {
    const prefix = `198.18.${card}`;
    return {
      name: `lan${card}${k}`,
      modes: ['macvlan', 'macvlan-self'],
      subnet4: `${prefix}.0/24`,
      gateway4: `${prefix}.1`,
      range4: `${prefix}.${64 + 32 * k}/27`,
      asked: [prefix, 160 + 40 * k],
      ...(k === 1
        ? {
            v6: {
              subnet: `fd99:0:0:${card}::/64`,
              gateway: `fd99:0:0:${card}::1`,
              range: `fd99:0:0:${card}::a:0/112`,
            },
          }
        : {}),
      ipams: k === 0 ? ['default'] : ['tsnet'],
      parent: `eth${card}`,
    };
  }),
);

export const PLACES: readonly Place[] = [...bridges, foreign, ...lans];
