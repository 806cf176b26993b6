import type { Operation } from './operation.ts';
import type { Scene } from './scene.ts';
import type { PointResult } from './walk-operation.ts';

const LINES = 120;
const end = (text: string): string => text.split('\n').slice(-LINES).join('\n');

/** What there is to see of a host on which something was found. */
export async function dump(scene: Scene, operation: Operation, result: PointResult): Promise<string> {
  const { host, daemon } = scene;
  const shown = await host.sh(
    'ip -d link; ip addr; ip route show table all; nft list table inet tsnet; ls -l /run/docker/netns',
    { reject: false },
  );
  const networks = await scene.docker('network', 'ls', '-q', '-f', 'driver=tsnet');
  const inspected = await scene.docker('network', 'inspect', ...networks.words.split('\n'));
  const containers = await scene.docker('ps', '-a');
  return [
    `${operation.name}, point ${result.number}: ${result.point}`,
    `passed:\n${result.passed.join('\n')}`,
    `docker said: ${result.refused ?? 'nothing'}`,
    ...result.violations.map(({ rule, subject, detail }) => `! ${rule} ${subject}: ${detail}`),
    `--- tsnet\n${end(daemon.log())}`,
    `--- engine\n${end(host.engineOutput())}`,
    `--- kernel\n${shown.stdout}\n${shown.stderr}`,
    `--- engine's networks\n${inspected.words}\n${containers.words}`,
  ].join('\n\n');
}
