import { TsnetError } from '../errors.ts';
import type { FirewallElement, FirewallSet } from '../host-state/types.ts';
import { checkField, type Field, quoteField } from './fields.ts';
import { keyFields, SETS, valueFields } from './sets.ts';

/**
 * The element with every part in canonical text.
 * @throws TsnetError as checkField(), and INTERNAL for a wrong number of parts
 */
export function checkElement({ set, key, value }: FirewallElement): FirewallElement {
  const fields = valueFields(set);
  if ((fields === undefined) !== (value === undefined)) {
    throw new TsnetError('INTERNAL', `an element of ${set} ${value ? 'has a' : 'lacks its'} value`);
  }
  const checked = { set, key: check(set, keyFields(set), key) };
  return fields && value ? { ...checked, value: check(set, fields, value) } : checked;
}

function check(set: FirewallSet, fields: readonly Field[], parts: readonly string[]): readonly string[] {
  if (parts.length !== fields.length) {
    throw new TsnetError('INTERNAL', `an element of ${set} has ${parts.length} fields`);
  }
  return fields.map((field, index) => checkField(field, parts[index] ?? ''));
}

const render = (fields: readonly Field[], parts: readonly string[]): string =>
  fields.map((field, index) => quoteField(field, parts[index] ?? '')).join(' . ');

/**
 * Elements in nft's syntax by set, in the order of the sets' declaration; sets without elements left out, and of
 * several elements with one key all but the last: `"br0" . 198.18.0.2`, `tcp . 80 : 198.18.0.2 . 80`.
 * @throws TsnetError as checkElement()
 */
export function groupBySet(elements: readonly FirewallElement[]): readonly [FirewallSet, string[]][] {
  const groups = new Map<FirewallSet, Map<string, string>>();
  for (const { set, key, value } of elements.map(checkElement)) {
    const name = render(keyFields(set), key);
    const mapped = value ? `${name} : ${render(valueFields(set) ?? [], value)}` : name;
    groups.set(set, (groups.get(set) ?? new Map()).set(name, mapped));
  }
  return SETS.flatMap(set => {
    const group = groups.get(set);
    return group ? [[set, [...group.values()]] as [FirewallSet, string[]]] : [];
  });
}
