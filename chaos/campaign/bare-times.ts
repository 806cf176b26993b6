import type { Host } from '../../test/lab/host.ts';

/** What the engine's start takes on a host without tsnet, in milliseconds. */
export interface BareTimes {
  readonly boot: number;
  /** For each container that is to run again. */
  readonly container: number;
}

const CONTAINERS = 4;

/** Measures the engine's start on a new host that has the image, and leaves the engine running with nothing on it. */
export async function bareTimes(host: Host): Promise<BareTimes> {
  // Once for the files that a first start makes.
  await host.startEngine();
  await host.loadImage();
  const boot = await restart(host);
  const names = Array.from({ length: CONTAINERS }, (_, k) => `bare${k}`);
  for (const name of names) {
    await host.dockerWith(
      { reject: true },
      'run',
      '-d',
      '--restart',
      'always',
      '--name',
      name,
      'busybox',
      'sleep',
      '1d',
    );
  }
  const container = Math.max(0, (await restart(host)) - boot) / CONTAINERS;
  await host.dockerWith({ reject: true }, 'rm', '-f', ...names);
  return { boot, container };
}

/** Leaves it just so, without measuring anything. */
export async function untimed(host: Host): Promise<undefined> {
  await host.startEngine();
  await host.loadImage();
}

async function restart(host: Host): Promise<number> {
  await host.stopEngine('KILL');
  const began = performance.now();
  await host.startEngine();
  return performance.now() - began;
}
