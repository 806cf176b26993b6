/** Writes the fixtures of the engines that this machine has: `node test/engines/support/record.ts`. Needs root. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TsnetHost } from '../../engine/support/tsnet-host.ts';
import { engines, type Generation } from '../../lab/engines.ts';
import { Lab } from '../../lab/lab.ts';
import { writeTrace } from '../../replay/trace.ts';
import { Recorder } from './recorder.ts';
import { BEHIND } from './scenes.ts';

const FIXTURES = join(import.meta.dirname, '../../replay/fixtures');
const hosts = (await engines()).map(({ generation }) => ({ engine: generation as Generation }));
await using lab = await Lab.create({ hosts });
for (const host of lab.hosts) {
  const tsnet = new TsnetHost(host);
  await Promise.all([tsnet.start('--socket', BEHIND), host.loadImage()]);
  const recorder = await Recorder.start(tsnet);
  const chapters = await recorder.recordAll();
  const { version, generation } = host.engine;
  const trace = { engine: `${version}, recorded on a host of the lab`, chapters };
  writeFileSync(join(FIXTURES, `${generation}.jsonl`), writeTrace(trace));
  process.stdout.write(`${version}: ${chapters.flatMap(({ steps }) => steps).length} steps\n`);
}
