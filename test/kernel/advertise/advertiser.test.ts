import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { type Advertisement, Advertiser } from '../../../src/kernel/advertise/advertiser.ts';
import { Rtnetlink } from '../../../src/kernel/rtnetlink/rtnetlink.ts';
import { waitFor } from '../wait-for.ts';
import { type TestLink, testLink } from './link.ts';

const MAC = '02:42:0a:0b:0c:0d';
const V4 = { address: 'c6120002', mac: '02420a0b0c0d' };
const V6 = { address: '20010db8000000000000000000000002', mac: '02420a0b0c0d' };
/** Longer than any test may take. */
const NEVER = 600_000;

function advertiser() {
  const errors: unknown[] = [];
  return { errors, advertiser: new Advertiser(error => errors.push(error)) };
}

const advertisement = (link: TestLink, more: Partial<Advertisement> = {}): Advertisement => ({
  sandbox: link.sandbox.path,
  name: 'c0',
  index: link.index,
  mac: MAC,
  addresses: ['198.18.0.2/24', '2001:db8::2'],
  count: 1,
  intervalMs: 100,
  ...more,
});

const both = (link: TestLink) => waitFor('both are told', () => link.told().length >= 2);

describe('the neighbours of an interface', () => {
  it('have its MAC in place of that of the former holder', async () => {
    await using link = await testLink(MAC);
    await waitFor('the neighbour receives IPv6 multicast', () =>
      link.neighbour.ip('-6', 'route', 'show', 'table', 'local', 'ff00::/8', 'dev', 'n0'),
    );
    const entries = ['198.18.0.2', '2001:db8::2'];
    for (const address of entries) {
      const entry = [address, 'lladdr', '02:42:00:00:00:99', 'dev', 'n0', 'nud', 'stale'];
      await link.neighbour.ip('neigh', 'replace', ...entry);
    }
    const { advertiser: one, errors } = advertiser();
    one.advertise(advertisement(link));
    for (const address of entries) {
      await waitFor(`${address} has the new MAC`, async () => {
        const [entry] = await link.neighbour.json('neigh', 'show', address, 'dev', 'n0');
        return entry?.['lladdr'] === MAC;
      });
    }
    await one.settled();
    expect(errors).toEqual([]);
  });

  it('are told as often as is wanted, and no socket is left then', async () => {
    await using link = await testLink(MAC);
    const { advertiser: one, errors } = advertiser();
    const start = performance.now();
    one.advertise(advertisement(link, { count: 3 }));
    await one.settled();
    expect(performance.now() - start).toBeGreaterThanOrEqual(2 * 100 - 2);
    await waitFor('all are told', () => link.told().length >= 6);
    expect(link.told()).toEqual([V4, V6, V4, V6, V4, V6]);
    expect(await link.sockets()).toBe(0);
    expect(errors).toEqual([]);
  });

  it('are not told of what is not to be told', async () => {
    await using link = await testLink(MAC);
    const { advertiser: one } = advertiser();
    one.advertise(advertisement(link, { count: 0 }));
    one.advertise(advertisement(link, { addresses: [] }));
    await one.settled();
    expect(await link.sockets()).toBe(0);
    one.advertise(advertisement(link, { addresses: ['2001:db8::2/64'] }));
    await waitFor('the one is told', () => link.told().length >= 1);
    expect(link.told()).toEqual([V6]);
    await one.settled();
  });

  it('are told when the interface has a carrier', async () => {
    await using link = await testLink(MAC, { carrier: false });
    using rtnetlink = Rtnetlink.open(link.neighbour.path);
    const other = await rtnetlink.link('n0');
    const { advertiser: one, errors } = advertiser();
    one.advertise(advertisement(link));
    await rtnetlink.setLink(other?.index ?? 0, { up: true });
    await both(link);
    await one.settled();
    expect(link.told()).toEqual([V4, V6]);
    expect(errors).toEqual([]);
  });

  it('are not waited for where there never is one', async () => {
    await using link = await testLink(MAC, { carrier: false });
    const { advertiser: one, errors } = advertiser();
    one.advertise(advertisement(link));
    await one.settled();
    expect(link.told()).toEqual([]);
    expect(errors).toEqual([]);
  });
});

describe('advertising', () => {
  it.each([
    { what: 'deleted', change: (link: TestLink) => link.sandbox.ip('link', 'delete', 'c0') },
    { what: 'down', change: (link: TestLink) => link.sandbox.ip('link', 'set', 'c0', 'down') },
    {
      what: 'in another namespace',
      change: (link: TestLink) => link.sandbox.ip('link', 'set', 'c0', 'netns', holder(link)),
    },
    {
      what: 'given another MAC',
      change: (link: TestLink) => link.sandbox.ip('link', 'set', 'c0', 'address', '02:42:00:00:00:77'),
    },
  ])('ends silently when the interface is $what', async ({ change }) => {
    await using link = await testLink(MAC);
    const { advertiser: one, errors } = advertiser();
    one.advertise(advertisement(link, { count: 3, intervalMs: 700 }));
    await both(link);
    await change(link);
    await one.settled();
    expect(link.told()).toEqual([V4, V6]);
    expect(await link.sockets()).toBe(0);
    expect(errors).toEqual([]);
  });

  it.each([
    { what: 'interface', more: { index: 4711 } },
    { what: 'sandbox', more: { sandbox: '/proc/4194304/ns/net' } },
  ])('ends silently where there is no such $what', async ({ more }) => {
    await using link = await testLink(MAC);
    const { advertiser: one, errors } = advertiser();
    one.advertise(advertisement(link, { count: 3, intervalMs: NEVER, ...more }));
    await one.settled();
    await waitFor('no socket is left', async () => (await link.sockets()) === 0);
    expect(errors).toEqual([]);
  });

  it('does not keep a sandbox alive', async () => {
    await using link = await testLink(MAC);
    const { advertiser: one, errors } = advertiser();
    one.advertise(advertisement(link, { count: 2, intervalMs: 3000 }));
    await both(link);
    await link.sandbox[Symbol.asyncDispose]();
    await waitFor('the pair is gone', async () => (await link.neighbour.json('link')).length === 1, 2500);
    await one.settled();
    expect(link.told()).toEqual([V4, V6]);
    expect(errors).toEqual([]);
  });

  it('reports what it cannot do, and does not throw', async () => {
    await using link = await testLink(MAC);
    const { advertiser: one, errors } = advertiser();
    one.advertise(advertisement(link, { mac: 'none' }));
    await one.settled();
    expect(errors).toEqual([new RangeError('no MAC address: none')]);
  });

  it('is stopped for one interface and goes on for others', async () => {
    await using link = await testLink(MAC);
    await using other = await testLink(MAC);
    const { advertiser: one, errors } = advertiser();
    one.advertise(advertisement(link, { count: 3, intervalMs: NEVER }));
    one.advertise(advertisement(other, { count: 2 }));
    await both(link);
    one.stop({ sandbox: link.sandbox.path, name: 'c0' });
    await one.settled();
    await waitFor('the other is told', () => other.told().length >= 4);
    expect(link.told()).toEqual([V4, V6]);
    expect(errors).toEqual([]);
  });

  it('begins anew for an interface that is advertised again', async () => {
    await using link = await testLink(MAC);
    const { advertiser: one } = advertiser();
    one.advertise(advertisement(link, { addresses: ['198.18.0.2'], count: 3, intervalMs: NEVER }));
    await waitFor('it is told', () => link.told().length > 0);
    one.advertise(advertisement(link, { addresses: ['2001:db8::2'], count: 2 }));
    await one.settled();
    await waitFor('all are told', () => link.told().length >= 3);
    expect(link.told()).toEqual([V4, V6, V6]);
  });

  it('ends, sockets and all, when it is closed', async () => {
    await using link = await testLink(MAC);
    const { advertiser: one, errors } = advertiser();
    one.advertise(advertisement(link, { count: 3, intervalMs: NEVER }));
    await both(link);
    one.close();
    await one.settled();
    expect(await link.sockets()).toBe(0);
    expect(errors).toEqual([]);
  });

  it('does not keep the process alive', async () => {
    await using link = await testLink(MAC);
    const script = new URL('./advertise-child.ts', import.meta.url).pathname;
    const wanted = JSON.stringify(advertisement(link, { count: 3, intervalMs: NEVER }));
    const child = execa(process.execPath, [script, wanted], { timeout: 30_000 });
    await both(link);
    child.stdin.end();
    await child;
    expect(link.told()).toEqual([V4, V6]);
  });
});

/** Process that holds the neighbour's namespace. */
const holder = (link: TestLink): string => link.neighbour.path.split('/')[2] ?? '';
