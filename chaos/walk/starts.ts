import { haveContainer, haveNetwork, inhabitant, type Operation } from './operation.ts';
import type { Answer, Scene } from './scene.ts';

const LIVE_RESTORE = ['--live-restore'];

/** @param damage shell, run while tsnet is dead */
function tsnetStart(name: string, damage: string): Operation {
  return { name, before: haveTwo, act: scene => startAfter(scene, damage) };
}

async function startAfter({ supervisor, host }: Scene, damage: string): Promise<Answer> {
  const began = performance.now();
  await supervisor.whileDead(async () => {
    await host.sh(damage);
  });
  return { ok: true, words: '', ms: performance.now() - began };
}

function engineRestart(name: string, how: 'TERM' | 'KILL', engine: readonly string[] = []): Operation {
  return {
    name,
    engine,
    before: haveTwo,
    act: scene => scene.restartEngine(how, engine),
    again: scene => scene.startAll(engine),
  };
}

/** One container on a bridge network, one on a macvlan network. They come again with the engine. */
async function haveTwo(scene: Scene): Promise<void> {
  await haveNetwork(scene, 'bridge');
  await haveNetwork(scene, 'macvlan');
  await haveContainer(scene, { ...inhabitant('bridge'), restarts: true });
  await haveContainer(scene, { ...inhabitant('macvlan', 'c3', 8081), restarts: true });
}

/** The starts of tsnet itself, and of the engine: both tell each other again what they have. */
export const STARTS: readonly Operation[] = [
  tsnetStart('tsnet start', ':'),
  tsnetStart(
    'tsnet start, its table, bridge and shim deleted',
    `nft delete table inet tsnet; for link in $(ls /sys/class/net | grep -E '^ts[bs]'); do ip link del $link; done`,
  ),
  {
    name: 'tsnet start, no state file',
    before: async () => undefined,
    // Its directory is a place of its own on the host.
    act: scene => startAfter(scene, `find ${scene.daemon.stateDir} -mindepth 1 -delete`),
  },
  engineRestart('engine restart', 'TERM'),
  engineRestart('engine kill -9 and start', 'KILL'),
  engineRestart('engine restart, live-restore', 'TERM', LIVE_RESTORE),
  engineRestart('engine kill -9 and start, live-restore', 'KILL', LIVE_RESTORE),
];
