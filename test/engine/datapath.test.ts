import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, type Place, serve } from '../../bench/datapath/agents.ts';
import { MEASURES } from '../../bench/datapath/figures.ts';
import { forgetSoon } from '../../bench/datapath/tracking.ts';
import type { Measure } from '../../bench/datapath/traffic.ts';
import type { Lab } from '../lab/lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const HOST = '198.18.0.11';
/** Published by the one container of tsnet that serves, and the one of the builtin driver. */
const FIRST = 30_000;
const LAST = 30_299;
const BUILTIN = 29_000;
/** Milliseconds of one slice of traffic. */
const SLICE = 80;

/** Where traffic starts and what it goes to. */
interface Way {
  readonly from: Client;
  readonly address: string;
  readonly port: number;
}

// Margins so wide that only what went wrong by far is seen, whatever else the machine does: bench/datapath has the
// figures. One engine, as the packets' way is the same with all.
describe('what packets cost, beside the builtin driver', () => {
  let lab: Lab;
  let host: TsnetHost;
  let lan: Client;
  const clients: Record<string, Client> = {};
  const servers: Record<string, string> = {};

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine: ENGINES.at(-1) ?? '20.10' }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await furnish('bridge', '198.18.9.0/24', `${BUILTIN}`, [BUILTIN]);
    await furnish('tsnet', '198.18.10.0/24', `${FIRST}-${LAST}`, [FIRST, LAST]);
    for (const node of [lab.lan, host.host]) await forgetSoon({ name: node.name, node });
    lan = await Client.start({ name: 'lan', node: lab.lan });
  });
  afterAll(() => lab?.destroy());

  /** A network with a client, and a server that publishes ports and listens on some of them. */
  async function furnish(driver: string, subnet: string, published: string, served: readonly number[]) {
    const network = `n-${driver}`;
    await host.docker('network', 'create', '-d', driver, '--subnet', subnet, network);
    const server = await place(`server-${driver}`, network, '-p', `0.0.0.0:${published}:${published}`);
    for (const port of served) await serve(server, port);
    const { IPAddress } = await host.attachment(server.name, network);
    servers[driver] = String(IPAddress);
    clients[driver] = await Client.start(await place(`client-${driver}`, network));
  }

  async function place(name: string, network: string, ...options: string[]): Promise<Place> {
    await host.docker(
      'run',
      '-d',
      '--name',
      name,
      '--network',
      network,
      ...options,
      'busybox',
      'sleep',
      '1d',
    );
    const pid = await host.docker('inspect', '-f', '{{.State.Pid}}', name);
    await forgetSoon({ name, node: host.host, pid });
    return { name, node: host.host, pid };
  }

  const eastWest = (driver: 'bridge' | 'tsnet'): Way => {
    const from = clients[driver];
    if (from === undefined) throw new Error(`no client of ${driver}`);
    return { from, address: servers[driver] ?? '', port: driver === 'tsnet' ? FIRST : BUILTIN };
  };
  const published = (port: number): Way => ({ from: lan, address: HOST, port });

  /**
   * How many times as good the best slice of one way is as that of another: of slices in turn, at least 4 and at most
   * 30 of each, until it is `enough`. Load of the machine can only make slices worse.
   */
  async function ratio(
    measure: Measure,
    enough: number,
    ours: () => Way,
    theirs: () => Way,
  ): Promise<number> {
    const goodness = async ({ from, address, port }: Way) => {
      const { value } = await from.run({ measure, address, port, ms: SLICE });
      return MEASURES[measure].better === 'more' ? value : 1 / value;
    };
    let [one, other] = [0, 0];
    for (let k = 0; k < 30 && (k < 4 || one < enough * other); k++) {
      one = Math.max(one, await goodness(ours()));
      other = Math.max(other, await goodness(theirs()));
    }
    return one / other;
  }

  it.each(['throughput', 'latency', 'connections'] as const)('%s, container to container', async measure => {
    const found = await ratio(
      measure,
      0.7,
      () => eastWest('tsnet'),
      () => eastWest('bridge'),
    );
    expect(found).toBeGreaterThanOrEqual(0.7);
  });

  it.each(['throughput', 'latency', 'connections'] as const)('%s, published port', async measure => {
    const found = await ratio(
      measure,
      0.7,
      () => published(LAST),
      () => published(BUILTIN),
    );
    expect(found).toBeGreaterThanOrEqual(0.7);
  });

  it.each(['connections', 'handshakes'] as const)('%s, last of 300 ports beside the first', async measure => {
    const found = await ratio(
      measure,
      0.8,
      () => published(LAST),
      () => published(FIRST),
    );
    expect(found).toBeGreaterThanOrEqual(0.8);
  });
});
