import type { FlowMatch } from '../../host-state/flows.ts';
import { remembered } from '../../remembered.ts';
import { PROTOCOL_NUMBERS } from '../protocol-numbers.ts';
import { addressBytes, addressText } from '../rtnetlink/notation.ts';
import type { Flow, Tuple } from './flow.ts';

/** What a flow is compared with, in each of its directions; of a flow that matches, every field that is there is equal. */
export interface Pattern {
  readonly original: Partial<Tuple>;
  readonly reply: Partial<Tuple>;
  /** Who was asked is who answers. */
  readonly untranslated?: true;
}

/** As the kernel's answers are read. Of a container's ports, all have the same. */
const canonical = remembered(256, (address: string) => addressText(addressBytes(address).bytes) ?? address);

/** The patterns of which one at least fits each flow that a match means. */
export function patternsOf(match: FlowMatch): Pattern[] {
  const { protocol, containerPort, hostPort } = match;
  const container = match.container && canonical(match.container);
  const base: Partial<Tuple> = {
    ...(protocol === undefined ? {} : { protocol: PROTOCOL_NUMBERS[protocol] }),
    ...(hostPort === undefined ? {} : { destinationPort: hostPort }),
  };
  if (container === undefined) return [{ original: base, reply: {}, untranslated: true }];
  if (containerPort !== undefined) {
    const { protocol: number } = base;
    const answers = { source: container, sourcePort: containerPort };
    return [{ original: base, reply: { ...answers, ...(number === undefined ? {} : { protocol: number }) } }];
  }
  // The four differ by NAT: a container's address may stand in one direction only.
  return [
    { original: { ...base, source: container }, reply: {} },
    { original: { ...base, destination: container }, reply: {} },
    { original: base, reply: { source: container } },
    { original: base, reply: { destination: container } },
  ];
}

/**
 * Whether a flow fits one of the patterns at least. A container may have had a thousand ports, and a host have a hundred thousand flows:
 * so a flow is looked up once for each set of fields that patterns name, of which there are a handful, and not compared with each pattern.
 */
export function fitsAny(patterns: readonly Pattern[]): (flow: Flow) => boolean {
  const shapes = new Map<string, Shape>();
  for (const pattern of patterns) {
    const fields = fieldsOf(pattern);
    const untranslated = pattern.untranslated === true;
    const name = `${fields} ${untranslated}`;
    const shape = shapes.get(name) ?? { fields, untranslated, keys: new Set() };
    shapes.set(name, shape);
    shape.keys.add(keyOf(fields, pattern));
  }
  const all = [...shapes.values()];
  return flow =>
    all.some(
      ({ fields, untranslated, keys }) =>
        keys.has(keyOf(fields, flow)) && (!untranslated || isUntranslated(flow)),
    );
}

/** Patterns that name the same fields. */
interface Shape {
  readonly fields: readonly Field[];
  readonly untranslated: boolean;
  /** The values of the fields, as keyOf() has them. */
  readonly keys: Set<string>;
}

type Directions = Pick<Pattern, 'original' | 'reply'>;
type Field = readonly [keyof Directions, keyof Tuple];

const fieldsOf = ({ original, reply }: Pattern): Field[] => [
  ...(Object.keys(original).sort() as (keyof Tuple)[]).map(field => ['original', field] as const),
  ...(Object.keys(reply).sort() as (keyof Tuple)[]).map(field => ['reply', field] as const),
];

function keyOf(fields: readonly Field[], directions: Directions): string {
  let key = '';
  for (const [direction, field] of fields) key += `${directions[direction][field]} `;
  return key;
}

/** The fields that all patterns have, and have equal: whatever fits one of them fits this. */
export function commonOf(patterns: readonly Pattern[]): Pattern {
  const [first, ...others] = patterns;
  const common = { original: {}, reply: {} };
  for (const [direction, field] of first === undefined ? [] : fieldsOf(first)) {
    const value = first?.[direction][field];
    if (others.every(other => other[direction][field] === value))
      Object.assign(common[direction], { [field]: value });
  }
  return common;
}

const isUntranslated = ({ original, reply }: Flow): boolean =>
  reply.source === original.destination && reply.sourcePort === original.destinationPort;
