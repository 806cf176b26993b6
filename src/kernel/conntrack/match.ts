import type { FlowMatch } from '../../host-state/flows.ts';
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

/** The patterns of which one at least fits each flow that a match means. */
export function patternsOf(match: FlowMatch): Pattern[] {
  const { protocol, containerPort, hostPort } = match;
  const container = match.container && addressText(addressBytes(match.container).bytes);
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

export const fits = (pattern: Pattern, flow: Flow): boolean =>
  fitsTuple(pattern.original, flow.original) &&
  fitsTuple(pattern.reply, flow.reply) &&
  (pattern.untranslated !== true || isUntranslated(flow));

const isUntranslated = ({ original, reply }: Flow): boolean =>
  reply.source === original.destination && reply.sourcePort === original.destinationPort;

function fitsTuple(pattern: Partial<Tuple>, tuple: Tuple): boolean {
  for (const field of Object.keys(pattern) as (keyof Tuple)[]) {
    if (pattern[field] !== tuple[field]) return false;
  }
  return true;
}
