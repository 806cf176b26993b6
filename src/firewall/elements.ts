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
 * Elements by set, each with every part in canonical text, in the order of the sets' declaration; of several elements with one key
 * the last.
 * @throws TsnetError as checkElement()
 */
export function distinctBySet(
  elements: readonly FirewallElement[],
): ReadonlyMap<FirewallSet, readonly FirewallElement[]> {
  const groups = Map.groupBy(elements.map(checkElement), ({ set }) => set);
  const distinct = (group: readonly FirewallElement[]) => [
    ...new Map(group.map(element => [element.key.join(' '), element])).values(),
  ];
  return new Map(
    SETS.flatMap(set => {
      const group = groups.get(set);
      return group === undefined ? [] : [[set, distinct(group)] as const];
    }),
  );
}

/**
 * Elements in nft's syntax by set, as {@link distinctBySet} has them: `"br0" . 198.18.0.2`, `tcp . 80 : 198.18.0.2 . 80`.
 * @throws TsnetError as checkElement()
 */
export function groupBySet(elements: readonly FirewallElement[]): readonly [FirewallSet, string[]][] {
  const texts = (set: FirewallSet, all: readonly FirewallElement[]): string[] =>
    all.map(({ key, value }) => {
      const name = render(keyFields(set), key);
      return value ? `${name} : ${render(valueFields(set) ?? [], value)}` : name;
    });
  return [...distinctBySet(elements)].map(([set, all]) => [set, texts(set, all)]);
}
