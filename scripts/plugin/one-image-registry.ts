import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Image, MANIFEST } from './image.ts';

/** A registry with one plugin in it, of any name and tag, until it is closed. */
export interface Registry extends AsyncDisposable {
  /** Its address as references begin with it: `127.0.0.1:PORT`. Engines take addresses of 127.0.0.0/8 without TLS. */
  readonly address: string;
}

/**
 * Hands a plugin to the engine of this machine. `docker plugin upgrade`, which alone keeps a plugin's state and networks,
 * takes what is new from a registry only (https://distribution.github.io/distribution/spec/api/: three paths of it).
 */
export async function serveImage({ manifest, blobs }: Image): Promise<Registry> {
  const server = createServer(({ url = '', method }, answer) => {
    const isManifest = /^\/v2\/.+\/manifests\/[^/]+$/.test(url);
    const found = isManifest ? manifest : blobs.find(({ digest }) => url.endsWith(`/blobs/${digest}`));
    if (found === undefined) {
      answer.writeHead(url === '/v2/' ? 200 : 404).end();
      return;
    }
    answer.writeHead(200, {
      'content-type': isManifest ? MANIFEST : 'application/octet-stream',
      'content-length': found.bytes.length,
      'docker-content-digest': found.digest,
    });
    answer.end(method === 'HEAD' ? undefined : found.bytes);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: () => close(server) };
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
}
