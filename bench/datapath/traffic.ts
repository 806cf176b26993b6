import { runOn, SERVER_CORE, takeTurns } from './cores.ts';
import { GENERATORS } from './generators.ts';
import { socketAddress } from './sockets.ts';

/** What is asked of a traffic client. */
export interface Order {
  readonly measure: Measure;
  /** IPv4, bare. */
  readonly address: string;
  readonly port: number;
  /** How long, in milliseconds. */
  readonly ms: number;
}

/** What came out. */
export interface Slice {
  /** In the measure's unit. */
  readonly value: number;
  /** Share of the time that the client spent in its own code, not in the kernel: 1 when it is the bottleneck. */
  readonly own: number;
}

export type Measure = keyof typeof GENERATORS;

/**
 * Where a stream needs two cores to be as fast as it can, question and answer need one at a time: on the server's own
 * nothing but the way of the packets is measured.
 */
const coreOf = (measure: Measure): number => (measure === 'throughput' ? SERVER_CORE + 1 : SERVER_CORE);

/** Generates traffic, blocking this process, for as long as the order says. @throws Error when nobody answers */
export function generate({ measure, address, port, ms }: Order): Slice {
  runOn(coreOf(measure));
  takeTurns(measure !== 'throughput');
  const used = process.cpuUsage();
  const start = performance.now();
  const value = GENERATORS[measure](socketAddress(address, port), start + ms);
  const took = performance.now() - start;
  return { value, own: process.cpuUsage(used).user / 1000 / took };
}
