import { join } from 'node:path';
import { TsnetHost } from '../test/engine/support/tsnet-host.ts';
import type { Generation } from '../test/lab/engines.ts';
import { Lab } from '../test/lab/lab.ts';
import { waitFor } from '../test/lab/wait.ts';
import { DRIVERS, type Driver, hostPorts, type Life, OFFSET, PortLife, STEPS } from './port-life.ts';
import { Settler } from './settle.ts';
import { type Figures, figures } from './statistics.ts';

export interface PortPlan {
  readonly rounds: number;
  /** Lives of each case in each round. */
  readonly lives: number;
  /** Numbers of published ports. */
  readonly ports: readonly number[];
}

/** What came out for one driver and one number of ports; milliseconds. */
export interface PortRow {
  readonly driver: Driver['name'];
  readonly ports: number;
  /** From creation to removal. */
  readonly life: Figures;
  readonly steps: Readonly<Record<keyof Life, Figures>>;
}

export interface PortReport {
  readonly engine: string;
  readonly rows: readonly PortRow[];
}

interface Case {
  readonly driver: Driver;
  readonly ports: number;
}

/** From this many ports on the builtin driver takes seconds, and lives once a round. */
export const COSTLY = 50;

/**
 * Measures lives of containers on a throwaway host with an engine of this generation; nothing of the host is left.
 * All ports of the largest number are first shown to be reached from the LAN, and no longer to be once they are gone.
 *
 * @param progress told the number of the round that begins, from 1, or 0 for check and warm-up
 * @throws Error when a call fails, a port is not reached, or a link of tsnet is left behind
 */
export async function measurePorts(
  generation: Generation,
  plan: PortPlan,
  progress: (round: number) => void,
): Promise<PortReport> {
  await using lab = await Lab.create({ hosts: [{ engine: generation }] });
  const host = new TsnetHost(lab.host());
  await Promise.all([host.start('--log-level', 'info'), host.host.loadImage()]);
  for (const { network, create } of DRIVERS) await host.docker('network', 'create', ...create, network);
  await host.docker('run', '-d', '--name', 'idle', '--network', 'none', 'busybox', 'sleep', '1d');
  const settler = await Settler.of(host, ['idle']);

  progress(0);
  for (const driver of DRIVERS) {
    await checkReached(lab, host, driver, Math.max(...plan.ports));
    await new PortLife(host, driver, 1).live();
    await settler.settled();
  }
  const cases = DRIVERS.flatMap(driver => plan.ports.map((ports): Case => ({ driver, ports })));
  const samples = new Map<Case, Life[][]>(cases.map(one => [one, []]));
  for (let round = 1; round <= plan.rounds; round++) {
    progress(round);
    for (const lives of samples.values()) lives.push([]);
    for (let k = 0; k < plan.lives; k++) {
      for (const one of rotated(cases, round * 3 + k)) {
        if (k > 0 && isCostly(one)) continue;
        samples
          .get(one)
          ?.at(-1)
          ?.push(await new PortLife(host, one.driver, one.ports).live());
        // What the kernel still has to do for one is no cost of the next.
        await settler.settled();
      }
    }
  }
  await host.docker('network', 'rm', ...DRIVERS.map(({ network }) => network));
  const left = await host.links();
  if (left.length > 0) throw new Error(`bench: links of tsnet are left: ${left.join(' ')}`);
  return { engine: host.host.engine.version, rows: [...samples].map(([one, lives]) => rowOf(one, lives)) };
}

const isCostly = ({ driver, ports }: Case): boolean => driver.name === 'builtin' && ports >= COSTLY;

/** Begins at another case each time, so that none always follows the same. */
function rotated<T>(all: readonly T[], by: number): T[] {
  const from = by % all.length;
  return [...all.slice(from), ...all.slice(0, from)];
}

async function checkReached(lab: Lab, host: TsnetHost, driver: Driver, count: number): Promise<void> {
  if (count === 0) return;
  const ports = hostPorts(count);
  const life = new PortLife(host, driver, count);
  await life.create({ serves: true });
  await life.start();
  let wrong: string[] = [];
  await waitFor(
    async () => {
      const answers = await knock(lab, ports);
      wrong = ports.map(String).filter(port => answers[port] !== String(Number(port) + OFFSET));
      return wrong.length === 0;
    },
    { timeout: 30_000, what: () => `ports of ${driver.name} to answer the LAN: ${wrong.join(' ')}` },
  );
  await life.remove();
  const after = Object.entries(await knock(lab, ports)).filter(([, words]) => words !== null);
  if (after.length > 0) throw new Error(`bench: ports of ${driver.name} answer that are gone: ${after}`);
}

async function knock(lab: Lab, ports: readonly number[]): Promise<Record<string, string | null>> {
  const script = join(import.meta.dirname, 'knock.ts');
  const { stdout } = await lab.lan.exec('node', [script, lab.host().address, ...ports.map(String)]);
  return JSON.parse(String(stdout));
}

const total = (life: Life): number => STEPS.reduce((sum, step) => sum + life[step], 0);

function rowOf({ driver, ports }: Case, rounds: readonly (readonly Life[])[]): PortRow {
  const of = (value: (life: Life) => number) => figures(rounds.map(lives => lives.map(value)));
  return {
    driver: driver.name,
    ports,
    life: of(total),
    steps: {
      create: of(life => life.create),
      start: of(life => life.start),
      stop: of(life => life.stop),
      remove: of(life => life.remove),
    },
  };
}
