import { join } from 'node:path';
import type { TsnetHost } from '../../engine/support/tsnet-host.ts';

const IMAGES = join(import.meta.dirname, '../images');

/** The images that the examples name, by the folder of ../images that is built in their place; there is no registry. */
const STAND_INS: Readonly<Record<string, readonly [folder: string, ...args: string[]]>> = {
  'adminer:5': ['adminer'],
  'caddy:2-alpine': ['caddy'],
  'nginx:alpine': ['nginx'],
  'nginxinc/nginx-unprivileged:alpine': ['nginx', '--build-arg', 'PORT=8080'],
  'postgres:17-alpine': ['postgres'],
  'redis:7-alpine': ['redis'],
};

/** Builds on a host what stands in for the examples' images. They are of busybox, and listen where the originals do. */
export async function buildStandIns(host: TsnetHost): Promise<void> {
  for (const [image, [folder, ...args]] of Object.entries(STAND_INS)) {
    const build = ['build', '-q', '-t', image, ...args, join(IMAGES, folder)];
    // The engine's own builder: the other is a plugin of the client that need not be there.
    await host.host.dockerWith({ env: { DOCKER_BUILDKIT: '0' }, reject: true }, ...build);
  }
}
