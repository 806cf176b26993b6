import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNetwork, networkId, PlaceForDaemons } from './support/place-for-daemons.ts';

const [A, WEB] = ['1f'.repeat(32), networkId('a')];
const create = createNetwork(WEB, 64);

let place: PlaceForDaemons;
beforeEach(async () => {
  place = await PlaceForDaemons.create();
});
afterEach(() => place[Symbol.asyncDispose]());

const kinds = {
  'a plugin where a daemon has stopped': [() => place.daemon(), () => place.plugin(A)],
  'a daemon where a plugin has stopped': [() => place.plugin(A), () => place.daemon()],
} as const;

describe('a tsnet that has never met the one before it', () => {
  it.each(Object.entries(kinds))('%s, leaves alone what that has left', async (_, [startFormer, start]) => {
    const former = startFormer();
    await former.says('reconcile');
    await former.client.call('NetworkDriver.CreateNetwork', create);
    const links = await place.links();
    expect(links).toHaveLength(1);
    await former.end();

    const fresh = start();
    const words = `INSTANCE_LEFT: another tsnet has ended and has left the links ${links}.`;
    await fresh.says(`the host is not restored yet: TsnetError: ${words}`);
    expect(await fresh.refusal('NetworkDriver.CreateNetwork', create)).toContain(words);
    expect(await place.links()).toEqual(links);
    await fresh.end();

    const back = startFormer();
    await back.says('reconcile');
    expect(await place.links()).toEqual(links);
    await back.client.call('NetworkDriver.DeleteNetwork', { NetworkID: WEB });
    await back.end();
    const next = start();
    await next.says('listening');
    expect(await next.refusal('NetworkDriver.CreateNetwork', create)).toBe('');
  });

  it('serves as soon as what was left is gone', async () => {
    await place.sh('ip link add tsbleft type bridge; ip link set tsbleft alias "tsnet:$(printf %064d 7)"');
    const tsnet = place.daemon();
    await tsnet.says('INSTANCE_LEFT');
    await place.sh('ip link del tsbleft');
    expect(await tsnet.refusal('NetworkDriver.CreateNetwork', create)).toBe('');
    await tsnet.says('reconcile');
  });
});

it('removes what it has left itself, in no record by now, as before', async () => {
  const first = place.daemon();
  await first.says('reconcile');
  await first.end('SIGKILL');
  await place.sh('ip link add tsbleft type bridge; ip link set tsbleft alias "tsnet:$(printf %064d 7)"');
  const next = place.daemon();
  await next.says('-link tsbleft');
  expect(await place.links()).toEqual([]);
});
