import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNetwork, networkId, PlaceForDaemons } from './support/place-for-daemons.ts';

const [A, WEB] = ['1f'.repeat(32), networkId('a')];
const SOCKET = 'units/tsnet.sock';
const create = createNetwork(WEB, 64);

let place: PlaceForDaemons;
beforeEach(async () => {
  place = await PlaceForDaemons.create();
});
afterEach(() => place[Symbol.asyncDispose]());

/** Starts the daemon as a socket unit does, with the first connection. */
function activated() {
  mkdirSync(join(place.dir, 'units'));
  return place.daemon(SOCKET, { by: ['systemd-socket-activate', '-l', join(place.dir, SOCKET)] });
}

describe('a daemon whose socket systemd holds', () => {
  it('does not end where a plugin serves: it says so with every call, and takes over', async () => {
    const plugin = place.plugin(A);
    await plugin.says('reconcile');
    const daemon = activated();
    await daemon.says('Listening on');
    const words = 'INSTANCE_RUNNING: the managed plugin 1f1f1f1f1f1f (tsnet ';
    expect(await daemon.refusal('NetworkDriver.CreateNetwork', create)).toContain(words);
    expect(await daemon.refusal('NetworkDriver.CreateNetwork', create)).toContain(words);
    expect(daemon.log().match(/not started: INSTANCE_RUNNING/g)).toHaveLength(1);
    expect(await place.links()).toEqual([]);

    await plugin.end();
    await daemon.says('started after all');
    expect(await daemon.refusal('NetworkDriver.CreateNetwork', create)).toBe('');
    expect(await place.links()).toHaveLength(1);
  });

  it('does not take over what the plugin has left behind', async () => {
    const plugin = place.plugin(A);
    await plugin.says('reconcile');
    await plugin.client.call('NetworkDriver.CreateNetwork', create);
    const links = await place.links();
    const daemon = activated();
    await daemon.says('Listening on');
    expect(await daemon.refusal('NetworkDriver.CreateNetwork', create)).toContain('INSTANCE_RUNNING');
    await plugin.end('SIGKILL');
    await daemon.says('not started: INSTANCE_LEFT');
    expect(await place.links()).toEqual(links);
  });
});
