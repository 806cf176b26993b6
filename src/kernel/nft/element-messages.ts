import { distinctBySet } from '../../firewall/elements.ts';
import { isInterval } from '../../firewall/fields.ts';
import { keyFields, valueFields } from '../../firewall/sets.ts';
import { TABLE_NAME } from '../../firewall/skeleton.ts';
import type { FirewallElement, FirewallSet } from '../../host-state/types.ts';
import * as attribute from '../netlink/attribute-writer.ts';
import { NLA_F_NESTED, NLM_F_CREATE } from '../netlink/constants.ts';
import { NFNL_SUBSYS_NFTABLES, nfHeader } from '../netlink/netfilter.ts';
import type { Request } from '../netlink/socket.ts';
import { putParts, widthOf } from './element-bytes.ts';

/** Of <linux/netfilter/nfnetlink.h>. */
const NFNL_MSG_BATCH_BEGIN = 16;
const NFNL_MSG_BATCH_END = 17;
/** Of <linux/netfilter/nf_tables.h> and <linux/netfilter.h>. */
const NFPROTO_INET = 1;
const NFT_MSG_NEWSETELEM = 12;
const NFT_MSG_DELSETELEM = 14;
const NFTA_SET_ELEM_LIST_TABLE = 1;
const NFTA_SET_ELEM_LIST_SET = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS = 3;
const NFTA_LIST_ELEM = 1;
const NFTA_SET_ELEM_KEY = 1;
const NFTA_SET_ELEM_DATA = 2;
const NFTA_SET_ELEM_KEY_END = 10;
const NFTA_DATA_VALUE = 1;

const HEADER = 4;
/** Elements in one message: the length of an attribute has 16 bits, and the longest element takes 120 bytes. */
const MOST = 400;

/**
 * One transaction of nftables that takes elements out of, and then puts elements into, the table's sets.
 * @returns the requests of one batch; none where there is nothing to do
 * @throws TsnetError as checkElement() of elements.ts
 */
export function elementMessages(
  add: readonly FirewallElement[],
  remove: readonly FirewallElement[],
  { addFirst = false }: { addFirst?: boolean } = {},
): Request[] {
  const gone = [...distinctBySet(remove)];
  const changes = [
    // Then it is no matter whether they are there: adding what is there is no error.
    ...(addFirst ? gone.flatMap(([set, all]) => messages(NFT_MSG_NEWSETELEM, set, all)) : []),
    ...gone.flatMap(([set, all]) => messages(NFT_MSG_DELSETELEM, set, all)),
    ...[...distinctBySet(add)].flatMap(([set, all]) => messages(NFT_MSG_NEWSETELEM, set, all)),
  ];
  return changes.length === 0 ? [] : [mark(NFNL_MSG_BATCH_BEGIN), ...changes, mark(NFNL_MSG_BATCH_END)];
}

function messages(what: number, set: FirewallSet, elements: readonly FirewallElement[]): Request[] {
  const requests: Request[] = [];
  for (let start = 0; start < elements.length; start += MOST) {
    requests.push(message(what, set, elements.slice(start, start + MOST)));
  }
  return requests;
}

function message(what: number, set: FirewallSet, elements: readonly FirewallElement[]): Request {
  const isNew = what === NFT_MSG_NEWSETELEM;
  const [one] = elements;
  const which = elements.length === 1 ? one?.key.join(' ') : `${elements.length} elements`;
  return {
    type: (NFNL_SUBSYS_NFTABLES << 8) | what,
    ...(isNew ? { flags: NLM_F_CREATE } : {}),
    payload: Buffer.concat([
      nfHeader(NFPROTO_INET),
      attribute.text(NFTA_SET_ELEM_LIST_TABLE, TABLE_NAME),
      attribute.text(NFTA_SET_ELEM_LIST_SET, set),
      attribute.bytes(NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED, list(set, elements, isNew)),
    ]),
    operation: `${isNew ? 'addition' : 'deletion'} of ${which} in ${set}`,
  };
}

/**
 * The elements of one set, which have all the same length: written into one buffer, for a container with a thousand ports has
 * thousands of them. A deletion names the key only, which the kernel goes by.
 */
function list(set: FirewallSet, elements: readonly FirewallElement[], withValue: boolean): Buffer {
  const fields = keyFields(set);
  const values = withValue ? valueFields(set) : undefined;
  const interval = isInterval(fields);
  const key = widthOf(fields);
  const value = values === undefined ? 0 : widthOf(values);
  const data = (width: number) => 2 * HEADER + width;
  const size = HEADER + data(key) + (interval ? data(key) : 0) + (values === undefined ? 0 : data(value));
  const buffer = Buffer.alloc(elements.length * size);
  let at = 0;
  const head = (type: number, length: number) => {
    buffer.writeUInt16LE(length, at);
    buffer.writeUInt16LE(type, at + 2);
    at += HEADER;
  };
  const dataHead = (type: number, width: number) => {
    head(type | NLA_F_NESTED, data(width));
    head(NFTA_DATA_VALUE, HEADER + width);
  };
  for (const element of elements) {
    head(NFTA_LIST_ELEM | NLA_F_NESTED, size);
    dataHead(NFTA_SET_ELEM_KEY, key);
    putParts(buffer, at, fields, element.key);
    at += key;
    if (interval) {
      dataHead(NFTA_SET_ELEM_KEY_END, key);
      putParts(buffer, at, fields, element.key, true);
      at += key;
    }
    if (values !== undefined) {
      dataHead(NFTA_SET_ELEM_DATA, value);
      putParts(buffer, at, values, element.value ?? []);
      at += value;
    }
  }
  return buffer;
}

/** What is between two of these is done as a whole or not at all. */
const mark = (type: number): Request => ({
  type,
  // struct nfgenmsg; the subsystem in network order.
  payload: Buffer.from([0, 0, 0, NFNL_SUBSYS_NFTABLES]),
  operation: 'change of firewall elements',
  isMark: true,
});
