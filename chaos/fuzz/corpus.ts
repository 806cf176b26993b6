import { SAMPLES } from '../../test/protocol/samples.ts';
import { readTrace } from '../../test/replay/trace.ts';

/** Bodies of the calls of each method as engines have sent them: JSON. */
export type Corpus = ReadonlyMap<string, readonly string[]>;

const GENERATIONS = ['20.10', '26', '28', '29'];
const EMPTY_BODIES = [
  'NetworkDriver.GetCapabilities',
  'IpamDriver.GetDefaultAddressSpaces',
  'Tsnet.Status',
  'Tsnet.Ports',
];

/** Every different body in the recordings of engines and the samples of the protocol, by method. */
export function readCorpus(): Corpus {
  const bodies = new Map<string, Set<string>>();
  const add = (method: string, body: unknown) => {
    bodies.set(method, (bodies.get(method) ?? new Set()).add(JSON.stringify(body)));
  };
  for (const { path, body } of SAMPLES) add(path.slice(1), body);
  for (const generation of GENERATIONS) {
    for (const { steps } of readTrace(generation).chapters)
      for (const step of steps) if ('call' in step && step.body !== undefined) add(step.call, step.body);
  }
  for (const method of EMPTY_BODIES) add(method, {});
  return new Map([...bodies].map(([method, known]) => [method, [...known]]));
}
