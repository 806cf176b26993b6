import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { LabNode } from '../../test/lab/node.ts';
import type { Order, Slice } from './traffic.ts';

/** A network namespace of a lab, and programs of its node that can be run in it. */
export interface Place {
  /** Unique in the node. */
  readonly name: string;
  readonly node: LabNode;
  /** Number, in the node, of a process whose network it is; without, it is the node's own. */
  readonly pid?: string;
}

async function start({ node, pid }: Place, program: string, argument: string): Promise<void> {
  const enter = pid === undefined ? [] : ['nsenter', '-t', pid, '-n'];
  const [file = '', ...args] = [...enter, 'node', join(import.meta.dirname, program), argument];
  await (await node.spawn(file, args)).waitForOutput('listening');
}

/** Starts a server; it ends with the node. @param port TCP, on every IPv4 address */
export const serve = (place: Place, port: number): Promise<void> => start(place, 'server.ts', String(port));

/** A program in a place that generates traffic on order. It ends with the node. */
export class Client {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  static async start(place: Place): Promise<Client> {
    const socket = join(place.node.dir, `client-${place.name}.sock`);
    await start(place, 'client.ts', socket);
    return new Client(socket);
  }

  /** @throws Error when nobody answered the traffic */
  async run(order: Order): Promise<Slice> {
    const control = connect(this.#socket);
    control.end(JSON.stringify(order));
    const outcome = JSON.parse(await text(control)) as Slice | { error: string };
    if ('error' in outcome) {
      throw new Error(`bench: ${order.measure} to ${order.address}:${order.port}: ${outcome.error}`);
    }
    return outcome;
  }
}
