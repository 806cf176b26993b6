import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { bridge, inOwnNamespace, veth } from './fixture.ts';

const f = inOwnNamespace();

describe('under load', () => {
  it('keeps the event loop free during 20 deletions', async () => {
    await f.rtnl.addLink(bridge('tb0'));
    const indices = await Promise.all(
      Array.from({ length: 20 }, (_, i) => f.rtnl.addLink(veth(`tv${i}`, { master: 'tb0' }))),
    );
    expect(new Set(indices).size).toBe(20);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const start = performance.now();
    await Promise.all(indices.map(index => f.rtnl.deleteLink(index)));
    const took = performance.now() - start;
    delay.disable();
    expect((await f.rtnl.links()).map(link => link.name)).toEqual(['lo', 'tb0']);
    // In turn they take 20 × 16 ms at the least; the bounds leave room for a busy machine.
    expect(took).toBeLessThan(20 * 16);
    expect(delay.max / 1e6).toBeLessThan(100);
  });

  it('dumps 500 links', async () => {
    const lines = Array.from({ length: 250 }, (_, i) => `link add tv${i} type veth peer name tp${i}`);
    await f.ns.sh(`ip -batch - <<'END'\n${lines.join('\n')}\nEND`);
    const links = await f.rtnl.links();
    expect(links).toHaveLength(501);
    const oracle = await f.ns.json('link');
    const ofOracle = oracle.map(({ ifindex, ifname, address, mtu }) => [ifindex, ifname, address, mtu]);
    const zero = '00:00:00:00:00:00';
    expect(links.map(({ index, name, mac, mtu }) => [index, name, mac ?? zero, mtu])).toEqual(ofOracle);
  });

  it('dumps a consistent list while links come and go', async () => {
    const lines = Array.from({ length: 60 }, (_, i) => `link add tv${i} type veth peer name tp${i}`);
    await f.ns.sh(`ip -batch - <<'END'\n${lines.join('\n')}\nEND`);
    let busy = true;
    const churn = (async () => {
      while (busy) await f.rtnl.deleteLink(await f.rtnl.addLink(bridge('churn', { up: false })));
    })();
    const dumps = [];
    for (let i = 0; i < 20; i++) dumps.push(await f.rtnl.links());
    busy = false;
    await churn;
    for (const links of dumps) {
      const names = links.map(link => link.name).filter(name => name !== 'churn');
      expect(names).toHaveLength(121);
      expect(new Set(names).size).toBe(121);
    }
  });

  it('serves more requests than it has sockets', async () => {
    const found = await Promise.all(Array.from({ length: 200 }, () => f.rtnl.link('lo')));
    expect(found.every(link => link?.index === 1)).toBe(true);
  });

  it('refuses requests after close, but ends those under way', async () => {
    const index = await f.rtnl.addLink(bridge('tb0'));
    const underWay = f.rtnl.deleteLink(index);
    await new Promise(setImmediate);
    f.rtnl.close();
    f.rtnl.close();
    await expect(underWay).resolves.toBeUndefined();
    await expect(f.rtnl.links()).rejects.toMatchObject({ code: 'EBADF' });
    expect(await f.ns.json('link', 'show', 'type', 'bridge')).toEqual([]);
  });
});
