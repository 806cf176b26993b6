import { existsSync, lstatSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { waitFor } from '../lab/wait.ts';
import { createNetwork, networkId, PlaceForDaemons } from './support/place-for-daemons.ts';

const [A, B] = ['1f'.repeat(32), '2e'.repeat(32)];
const WEB = networkId('a');

let place: PlaceForDaemons;
beforeEach(async () => {
  place = await PlaceForDaemons.create();
});
afterEach(() => place[Symbol.asyncDispose]());

const name = () => join(place.dir, 'plugins/tsnet.sock');
const create = createNetwork(WEB, 64);

describe('a second tsnet on a host', () => {
  it('as a plugin answers every call in words, and takes over when the first has gone', async () => {
    const first = place.plugin(A);
    await first.says('reconcile');
    expect(readlinkSync(name())).toBe(`${A}/tsnet.sock`);
    const second = place.plugin(B);
    await second.says('not started: INSTANCE_RUNNING');

    // the engine registers it all the same: it asks at the start of the plugin and never again
    expect(await second.client.call('NetworkDriver.GetCapabilities')).toMatchObject({ Scope: 'local' });
    expect(await second.client.call('IpamDriver.GetCapabilities')).toMatchObject({});
    const words = 'INSTANCE_RUNNING: the managed plugin 1f1f1f1f1f1f (tsnet ';
    expect(await second.refusal('NetworkDriver.CreateNetwork', create)).toContain(words);
    expect(await second.refusal('NetworkDriver.GwAllocCheck', { Options: {} })).toContain(words);
    expect(await second.refusal('Tsnet.Status')).toContain(words);
    expect(readlinkSync(name())).toBe(`${A}/tsnet.sock`);
    expect(await place.links()).toEqual([]);

    await first.client.call('NetworkDriver.CreateNetwork', create);
    await first.client.call('NetworkDriver.DeleteNetwork', { NetworkID: WEB });
    await first.end();
    expect(existsSync(name())).toBe(false);
    await second.says('started after all');
    expect(await second.refusal('NetworkDriver.CreateNetwork', create)).toBe('');
    expect(readlinkSync(name())).toBe(`${B}/tsnet.sock`);
    expect(await place.links()).toHaveLength(1);
  });

  it('as a plugin does not touch what the first has left, and gives way when that is back', async () => {
    const first = place.plugin(A);
    await first.says('reconcile');
    await first.client.call('NetworkDriver.CreateNetwork', create);
    const links = await place.links();
    const second = place.plugin(B);
    await second.says('not started: INSTANCE_RUNNING');
    await first.end('SIGKILL');
    await waitFor(
      async () => (await second.refusal('NetworkDriver.CreateNetwork', create)).includes('_LEFT'),
      {
        what: 'the time of grace to pass',
      },
    );
    expect(await second.refusal('NetworkDriver.CreateNetwork', create)).toContain(
      `INSTANCE_LEFT: the managed plugin 1f1f1f1f1f1f (tsnet ${packageJson.version}) has ended and has left the links ${links}.`,
    );
    expect(await place.links()).toEqual(links);

    const back = place.plugin(A);
    await back.says('reconcile');
    expect(await place.links()).toEqual(links);
    expect(await second.refusal('NetworkDriver.CreateNetwork', create)).toContain('INSTANCE_RUNNING');
    await back.client.call('NetworkDriver.DeleteNetwork', { NetworkID: WEB });
    await back.end();
    await second.says('started after all');
  });

  it('as a daemon ends with words that say who serves the host', async () => {
    const first = place.plugin(A);
    await first.says('reconcile');
    const second = place.daemon('plugins/tsnet.sock');
    expect(await second.ended()).toBe(1);
    expect(second.log()).toContain('tsnet: INSTANCE_RUNNING: the managed plugin 1f1f1f1f1f1f (tsnet ');
    expect(readlinkSync(name())).toBe(`${A}/tsnet.sock`);
    expect(await first.client.call('Tsnet.Status')).toMatchObject({ networks: 0 });
  });

  it('as a plugin beside a daemon leaves it its socket', async () => {
    const first = place.daemon('plugins/tsnet.sock');
    await first.says('reconcile');
    const second = place.plugin(B);
    await second.says('not started: INSTANCE_RUNNING: the daemon with process id');
    expect(lstatSync(name()).isSocket()).toBe(true);
    expect(await first.refusal('NetworkDriver.CreateNetwork', create)).toBe('');
    await first.client.call('NetworkDriver.DeleteNetwork', { NetworkID: WEB });
    await first.end();
    await second.says('plain driver name laid');
  });

  it('is no obstacle when it is the same plugin, started before its last process has ended', async () => {
    const first = place.plugin(A);
    await first.says('reconcile');
    await first.client.call('NetworkDriver.CreateNetwork', create);
    const links = await place.links();
    // the engine removes the folder of the socket before it starts the plugin anew
    rmSync(join(place.dir, 'plugins', A), { recursive: true });
    const next = place.plugin(A);
    await next.says('listening');
    const call = next.refusal('NetworkDriver.CreateNetwork', create);
    await first.end();
    expect(await call).toBe('');
    expect(next.log()).not.toContain('INSTANCE_');
    expect(await place.links()).toEqual(links);
  });

  it('finds the socket path free after a plugin that was killed', async () => {
    const first = place.plugin(A);
    await first.says('plain driver name laid');
    await first.end('SIGKILL');
    rmSync(join(place.dir, 'plugins', A), { recursive: true });
    const daemon = place.daemon('plugins/tsnet.sock');
    await daemon.says('listening');
    expect(lstatSync(name()).isSocket()).toBe(true);
  });
});
