import type { SQLOutputValue } from 'node:sqlite';
import { z } from 'zod';
import { canonicalCidr, formatAddress, parseAddress } from '../addresses.ts';
import { TsnetError } from '../errors.ts';
import type { StoredLease, StoredPool } from './types.ts';

/** A text that is the canonical form of itself. The last one is remembered: leases of a pool come in a row. */
const fixpoint = (canonical: (text: string) => string) => {
  let accepted: string | undefined;
  return z.string().refine(text => {
    if (text === accepted) return true;
    try {
      if (canonical(text) !== text) return false;
    } catch {
      return false; // It does not parse at all.
    }
    accepted = text;
    return true;
  });
};

const cidr = fixpoint(text => canonicalCidr(text, { network: true }));
const bare = fixpoint(text => {
  const { family, value } = parseAddress(text);
  return formatAddress(family, value);
});

const pool = z.object({
  id: z.string(),
  space: z.string(),
  pool: cidr,
  sub_pool: cidr.nullable(),
  cursor: z.string().regex(/^(-1|\d+)$/),
  epoch: z.int(),
});

const lease = z.object({
  space: z.string(),
  pool: cidr,
  address: bare,
  epoch: z.int(),
  holder: z.string().nullable(),
});

type Row = Record<string, SQLOutputValue>;

function decode<T>(schema: z.ZodType<T>, name: string, row: Row): T {
  const result = schema.safeParse(row);
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join('.');
  throw new TsnetError('STATE_CORRUPT', `the record of ${name} is damaged at ${where}`, {
    cause: result.error,
  });
}

/** @throws TsnetError STATE_CORRUPT naming the row */
export function decodePool(row: Row): StoredPool {
  const { sub_pool, ...rest } = decode(pool, `pool ${row['id']}`, row);
  return { ...rest, ...(sub_pool === null ? {} : { subPool: sub_pool }) };
}

/** @throws TsnetError STATE_CORRUPT naming the row */
export function decodeLease(row: Row): StoredLease {
  const { holder, ...rest } = decode(lease, `address ${row['address']} of pool ${row['pool']}`, row);
  return { ...rest, ...(holder === null ? {} : { holder }) };
}
