import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pack } from './pack.ts';

/** Something that a registry hands out by its digest. */
export interface Blob {
  /** `sha256:` and the hex of its bytes' hash. */
  readonly digest: string;
  readonly bytes: Buffer;
}

/** A plugin as registries keep it: https://distribution.github.io/distribution/spec/manifest-v2-2/ */
export interface Image {
  readonly manifest: Blob;
  /** Its config.json, and the layer with its root. */
  readonly blobs: readonly Blob[];
}

export const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
const CONFIG = 'application/vnd.docker.plugin.v1+json';

/** Makes of a folder what `docker plugin push` makes of it. @param folder with config.json and rootfs */
export async function imageOf(folder: string): Promise<Image> {
  const { digest, compressed } = await pack(join(folder, 'rootfs'));
  const settings = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  const config = blob(json({ ...settings, rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] } }));
  const layer = blob(compressed);
  const entry = (mediaType: string, of: Blob) => ({ mediaType, digest: of.digest, size: of.bytes.length });
  const manifest = json({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: entry(CONFIG, config),
    layers: [entry(LAYER, layer)],
  });
  return { manifest: blob(manifest), blobs: [config, layer] };
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

const blob = (bytes: Buffer): Blob => ({
  digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
  bytes,
});
