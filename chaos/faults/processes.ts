import type { Stage } from '../campaign/stage.ts';
import type { Fault, WorldContainer } from '../world/types.ts';

export const PROCESS_FAULTS = [
  'kill-tsnet',
  'restart-tsnet',
  'die-at-step',
  'die-at-start',
  'kill-engine',
  'restart-engine',
  'kill-engine-and-tsnet',
  'power-loss',
] as const;
export type ProcessFault = (typeof PROCESS_FAULTS)[number];

/** Lasting steps of tsnet's, of which a container's start takes some twenty; milliseconds that they are waited for. */
const STEPS = 60;
const STEPS_OF_START = 12;
const PATIENCE = 1500;

/** The death of processes, from tsnet's own to that of all at once. Each is followed by a start, as service managers do. */
export function processFaults(stage: Stage): Record<ProcessFault, Fault> {
  const { daemon, host } = stage;
  return {
    'kill-tsnet': {
      kind: 'kill-tsnet',
      strike: async () => {
        await daemon.kill();
        return () => daemon.start();
      },
    },
    'restart-tsnet': {
      kind: 'restart-tsnet',
      strike: async () => {
        await daemon.stop();
        return () => daemon.start();
      },
    },
    'die-at-step': {
      kind: 'die-at-step',
      strike: async ({ random }) => {
        await daemon.dieAfter(1 + random(STEPS));
        return async () => {
          // There may not be so many steps to be done any more.
          await daemon.died(PATIENCE);
          await daemon.kill();
          await daemon.dieAfter(undefined);
          await daemon.start();
        };
      },
    },
    'die-at-start': {
      kind: 'die-at-start',
      strike: async ({ random }) => {
        await daemon.kill();
        await daemon.dieAfter(1 + random(STEPS_OF_START));
        // One that has nothing to restore gets through.
        await daemon.start().catch(() => undefined);
        await daemon.kill();
        await daemon.dieAfter(undefined);
        return () => daemon.start();
      },
    },
    'kill-engine': {
      kind: 'kill-engine',
      strike: async ({ random }) => {
        await host.stopEngine('KILL');
        const keeps = random(2) === 0;
        restarts(stage, keeps);
        return () => stage.startEngine(keeps);
      },
    },
    'restart-engine': {
      kind: 'restart-engine',
      strike: async ({ random }) => {
        const kept = stage.liveRestore;
        const before = new Map(stage.world.containers);
        await host.stopEngine();
        // What has started or ended while the engine was ending, it may have counted or not.
        const during = [...stage.world.containers.values()].filter(one => before.get(one.name) !== one);
        const keeps = random(2) === 0;
        restarts(stage, kept && keeps);
        for (const { name } of during) stage.world.doubt(name);
        return () => stage.startEngine(keeps);
      },
    },
    'kill-engine-and-tsnet': {
      kind: 'kill-engine-and-tsnet',
      strike: async ({ random }) => {
        await Promise.all([host.stopEngine('KILL'), daemon.kill()]);
        const keeps = random(2) === 0;
        restarts(stage, keeps);
        return async () => {
          await daemon.start();
          await stage.startEngine(keeps);
        };
      },
    },
    'power-loss': {
      kind: 'power-loss',
      strike: async ({ random }) => {
        await stage.powerLoss();
        restarts(stage, false);
        const keeps = random(2) === 0;
        return async () => {
          // As the units order it.
          await daemon.start();
          await stage.startEngine(keeps);
        };
      },
    },
  };
}

/**
 * Writes into the world, while the engine does not run, what will have become of containers when it runs again.
 * @param kept whether they go on running without it
 */
function restarts({ world }: Stage, kept: boolean): void {
  const after = ({ restarts: always, state }: WorldContainer) => {
    if (always) return 'running';
    return kept ? state : 'stopped';
  };
  for (const container of world.containers.values()) {
    world.containers.set(container.name, { ...container, state: after(container) });
  }
}
