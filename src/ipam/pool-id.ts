import { canonicalCidr } from '../addresses.ts';

/** What a pool id says: the engine keeps ids for years, so they mean the same to every tsnet that ever reads them. */
export interface PoolName {
  readonly space: string;
  /** CIDR, canonical. */
  readonly pool: string;
  /** `--ip-range`, CIDR, canonical. */
  readonly subPool?: string;
}

/** `space/CIDR`, or `space/CIDR/CIDR` with a range. */
export const formatPoolId = ({ space, pool, subPool }: PoolName): string =>
  subPool === undefined ? `${space}/${pool}` : `${space}/${pool}/${subPool}`;

/** @returns what the id says, or undefined if no tsnet gives out such an id */
export function parsePoolId(id: string): PoolName | undefined {
  const [space, ...parts] = id.split('/');
  if (!space || (parts.length !== 2 && parts.length !== 4)) return undefined;
  const name = tryParse(space, parts);
  return name !== undefined && formatPoolId(name) === id ? name : undefined;
}

function tryParse(space: string, [address, prefix, subAddress, subPrefix]: string[]): PoolName | undefined {
  try {
    const pool = canonicalCidr(`${address}/${prefix}`, { network: true });
    if (subAddress === undefined) return { space, pool };
    return { space, pool, subPool: canonicalCidr(`${subAddress}/${subPrefix}`, { network: true }) };
  } catch {
    return undefined;
  }
}
