import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TsnetHost } from '../engine/support/tsnet-host.ts';
import { engines, type Generation } from '../lab/engines.ts';
import { Lab } from '../lab/lab.ts';
import { type Chapter, readTrace } from '../replay/trace.ts';
import { Recorder } from './support/recorder.ts';
import { BEHIND } from './support/scenes.ts';
import { withoutChance } from './support/told-apart.ts';

const GENERATIONS = (await engines()).map(({ generation }) => generation as Generation);

/**
 * The fixtures of test/replay are what engines really say, for as long as this passes; when it does not, see what has
 * changed, write it into docs/engines.md, and record them anew: test/engines/support/record.ts.
 */
describe('the calls of real engines are those of the fixtures', () => {
  let lab: Lab;
  const said = new Map<string, Promise<Chapter[]>>();

  beforeAll(async () => {
    lab = await Lab.create({ hosts: GENERATIONS.map(engine => ({ engine })) });
    for (const host of lab.hosts) said.set(host.engine.generation, record(new TsnetHost(host)));
    await Promise.allSettled(said.values());
  }, 240_000);
  afterAll(() => lab?.destroy());

  async function record(host: TsnetHost): Promise<Chapter[]> {
    await Promise.all([host.start('--socket', BEHIND), host.host.loadImage()]);
    return (await Recorder.start(host)).recordAll();
  }

  it.each(GENERATIONS)('%s', async generation => {
    const chapters = (await said.get(generation)) ?? [];
    const recorded = readTrace(generation).chapters;
    expect(chapters.map(({ name }) => name)).toEqual(recorded.map(({ name }) => name));
    chapters.forEach((chapter, at) => {
      const [mine, theirs] = [chapter, recorded[at] ?? chapter].map(withoutChance);
      expect(mine?.steps, chapter.name).toEqual(theirs?.steps);
    });
  });
});
