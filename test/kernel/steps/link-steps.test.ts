import { describe, expect, it } from 'vitest';
import { addLink } from '../../../src/kernel/steps/link-steps.ts';
import { bridge, inOwnNamespace } from '../rtnetlink/fixture.ts';

const f = inOwnNamespace();

describe('a link that is there already', () => {
  it('is not taken down, for others may go by it', async () => {
    await addLink(f.rtnl, bridge('tb0', { up: true }));
    await f.ns.ip('route', 'add', '198.18.0.7/32', 'dev', 'tb0');
    // As a network's own is made: down, then its parameters, then up.
    await addLink(f.rtnl, bridge('tb0', { up: false, mtu: 1400 }));
    expect(await f.rtnl.link('tb0')).toMatchObject({ up: true, mtu: 1400 });
    expect(await f.ns.ip('route')).toContain('198.18.0.7');
  });

  it('is set up where it is to be', async () => {
    await addLink(f.rtnl, bridge('tb0', { up: false }));
    await addLink(f.rtnl, bridge('tb0', { up: true }));
    expect(await f.rtnl.link('tb0')).toMatchObject({ up: true });
  });

  it('is left alone where it is another’s: LINK_TAKEN', async () => {
    await addLink(f.rtnl, bridge('tb0', { alias: 'tsnet:one' }));
    await expect(addLink(f.rtnl, bridge('tb0', { alias: 'tsnet:other', mtu: 1400 }))).rejects.toMatchObject({
      code: 'LINK_TAKEN',
    });
    expect(await f.rtnl.link('tb0')).toMatchObject({ mtu: 1500, alias: 'tsnet:one' });
  });
});
