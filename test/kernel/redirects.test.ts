import { readdirSync, readlinkSync } from 'node:fs';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { renderTable } from '../../src/firewall/render.ts';
import type { Redirect } from '../../src/host-state/types.ts';
import { Nft } from '../../src/kernel/nft/nft.ts';
import { readRedirect, removeRedirect, setRedirect } from '../../src/kernel/redirects/redirects.ts';
import { renderRedirect, renderRemoval, renderTableRemoval } from '../../src/kernel/redirects/render.ts';
import { type NftNamespace, nftNamespace } from './nft-namespace.ts';
import { type Exchange, type Peer, startPeer } from './peer.ts';

const OWN = { 4: '198.18.0.2', 6: '2001:db8::2' } as const;
const MORE = '198.18.0.22';
let sandbox: NftNamespace;
let lan: NftNamespace;

beforeEach(async () => {
  [sandbox, lan] = await Promise.all([nftNamespace(), nftNamespace()]);
  await sandbox.batch(
    'link set lo up',
    `link add eth0 type veth peer name eth0 netns ${lan.path}`,
    `addr add ${OWN[4]}/24 dev eth0`,
    `addr add ${MORE}/24 dev eth0`,
    `addr add ${OWN[6]}/64 dev eth0 nodad`,
    'link set eth0 up',
  );
  await lan.batch(
    'addr add 198.18.0.3/24 dev eth0',
    'addr add 2001:db8::3/64 dev eth0 nodad',
    'link set eth0 up',
  );
});
afterEach(async () => {
  await sandbox[Symbol.asyncDispose]();
  await lan[Symbol.asyncDispose]();
});

const rule = (protocol: 'tcp' | 'udp', address: string, from: number, to: number) => ({
  protocol,
  address,
  from,
  to,
});
const ID = 'e'.repeat(64);
const wanted = (more: Partial<Redirect> = {}): Redirect => ({
  sandbox: sandbox.path,
  endpointId: ID,
  rules: ([4, 6] as const).flatMap(family => [
    rule('tcp', OWN[family], 80, 8080),
    rule('udp', OWN[family], 53, 5353),
  ]),
  ...more,
});
const tables = () => sandbox.exec('nft', 'list', 'tables');

/** What a container that listens on one port of each protocol answers. */
const serve = (): Promise<Peer> =>
  startPeer(sandbox.path, {
    serve: [
      { protocol: 'tcp', address: '::', port: 8080, says: 'web' },
      { protocol: 'udp', address: OWN[4], port: 5353, says: 'names' },
      { protocol: 'udp', address: OWN[6], port: 5353, says: 'names' },
    ],
  });

async function ask(from: NftNamespace, exchanges: Exchange[]): Promise<readonly string[]> {
  await using peer = await startPeer(from.path, { exchanges });
  return peer.answers;
}

describe('a redirect', () => {
  it.each(['lan', 'sandbox'] as const)('leads packets of the %s to another port', async place => {
    await setRedirect(wanted());
    await using _ = await serve();
    const from = place === 'lan' ? lan : sandbox;
    const answers = await ask(
      from,
      ([4, 6] as const).flatMap((family): Exchange[] => [
        { protocol: 'tcp', to: OWN[family], port: 80 },
        { protocol: 'udp', to: OWN[family], port: 53 },
        { protocol: 'tcp', to: OWN[family], port: 8080 },
        { protocol: 'tcp', to: OWN[family], port: 81 },
      ]),
    );
    const one = ['web', 'names', 'web', 'ECONNREFUSED'];
    expect(answers).toEqual([...one, ...one]);
  });

  it('is of the addresses that it names only, and of packets to them', async () => {
    await setRedirect(wanted());
    await using _ = await serve();
    await using __ = await startPeer(lan.path, {
      serve: [{ protocol: 'tcp', address: '198.18.0.3', port: 80, says: 'neighbour' }],
    });
    expect(await ask(lan, [{ protocol: 'tcp', to: MORE, port: 80 }])).toEqual(['ECONNREFUSED']);
    expect(await ask(sandbox, [{ protocol: 'tcp', to: '198.18.0.3', port: 80 }])).toEqual(['neighbour']);
  });

  it('may be set again, and to something else', async () => {
    await setRedirect(wanted());
    await setRedirect(wanted());
    const other = wanted({ rules: [rule('tcp', OWN[4], 81, 8080)] });
    await setRedirect(other);
    await using _ = await serve();
    const answers = await ask(lan, [
      { protocol: 'tcp', to: OWN[4], port: 81 },
      { protocol: 'tcp', to: OWN[4], port: 80 },
      { protocol: 'tcp', to: OWN[6], port: 80 },
    ]);
    expect(answers).toEqual(['web', 'ECONNREFUSED', 'ECONNREFUSED']);
    expect(await readRedirect(other)).toBe(other);
    expect(await readRedirect(wanted())).toBeUndefined();
  });

  it('is taken back, and again; that of another endpoint stays', async () => {
    const other = wanted({ endpointId: 'f'.repeat(64), rules: [rule('tcp', MORE, 80, 8080)] });
    await setRedirect(wanted());
    await setRedirect(other);
    expect(await readRedirect(wanted())).toEqual(wanted());
    await removeRedirect(wanted());
    await removeRedirect(wanted());
    expect([await readRedirect(wanted()), await readRedirect(other)]).toEqual([undefined, other]);
    await using _ = await serve();
    const answers = await ask(lan, [
      { protocol: 'tcp', to: OWN[4], port: 80 },
      { protocol: 'tcp', to: MORE, port: 80 },
    ]);
    expect(answers).toEqual(['ECONNREFUSED', 'web']);
    await removeRedirect(other);
    expect(await tables()).toBe('');
  });

  it.each([
    ['a missing element', (id: string) => `delete element inet tsnet ports4_${id} { ${OWN[4]} . tcp . 80 }`],
    [
      'one more',
      (id: string) => `add element inet tsnet ports4_${id} { ${OWN[4]} . tcp . 1 : ${OWN[4]} . 2 }`,
    ],
    ['a missing rule', (id: string) => `flush chain inet tsnet output_${id}`],
    ['a missing table', () => 'delete table inet tsnet'],
  ])('with %s is not in place, and setting it mends that', async (_, harm) => {
    await setRedirect(wanted());
    await sandbox.exec('nft', harm(ID));
    expect(await readRedirect(wanted())).toBeUndefined();
    await setRedirect(wanted());
    expect(await readRedirect(wanted())).toEqual(wanted());
  });

  it('that cannot be read is not in place, and setting it tells why', async () => {
    await setRedirect(wanted());
    const broken = wanted({ endpointId: 'a b' });
    expect(await readRedirect(broken)).toBeUndefined();
    await sandbox.exec(
      'nft',
      `delete table inet tsnet
       add table inet tsnet
       add chain inet tsnet prerouting_${ID} { type filter hook prerouting priority 0; }`,
    );
    expect(await readRedirect(wanted())).toBeUndefined();
    await expect(setRedirect(wanted())).rejects.toMatchObject({ code: 'FIREWALL' });
  });

  it('leaves no socket and no namespace open', async () => {
    const open = () =>
      readdirSync('/proc/self/fd').flatMap(fd => {
        try {
          return [readlinkSync(`/proc/self/fd/${fd}`)];
        } catch {
          return [];
        }
      });
    const before = open().filter(file => /^(socket|net):/.test(file)).length;
    await setRedirect(wanted());
    await readRedirect(wanted());
    await removeRedirect(wanted());
    expect(open().filter(file => /^(socket|net):/.test(file))).toHaveLength(before);
  });
});

describe('a redirect in a sandbox that is not there', () => {
  it.each(['/nowhere', '/dev/null', '/proc/self/ns/mnt', '/proc/4194304/ns/net'])(
    '%s: nothing happens',
    async path => {
      const redirect = wanted({ sandbox: path });
      await setRedirect(redirect);
      expect(await readRedirect(redirect)).toBeUndefined();
      await removeRedirect(redirect);
      expect((await execa('nft', ['list', 'tables'])).stdout).not.toContain(ID);
    },
  );
});

describe('the text of a redirect', () => {
  it('is refused whole by a host, which has tsnet’s own table', async () => {
    const nft = sandbox.run(() => Nft.open());
    await nft.run(renderTable([], undefined));
    const list = () => sandbox.exec('nft', 'list', 'ruleset');
    const before = await list();
    for (const text of [renderRedirect(wanted()), renderRemoval(wanted()), renderTableRemoval()]) {
      await expect(nft.run(text)).rejects.toMatchObject({ code: 'FIREWALL' });
    }
    expect(await list()).toBe(before);
    await nft.close();
  });

  it.each<Partial<Redirect>>([
    { endpointId: 'a b' },
    { endpointId: '' },
    { endpointId: 'x; flush ruleset' },
    { rules: [rule('tcp', '198.18.0.2 }', 80, 80)] },
    { rules: [rule('tcp', OWN[4], 0, 80)] },
    { rules: [rule('tcp', OWN[4], 80, 65536)] },
    { rules: [rule('tcp', OWN[4], 80.5, 80)] },
    { rules: [rule('icmp' as 'tcp', OWN[4], 80, 80)] },
  ])('is not made of %j', async more => {
    await expect(setRedirect(wanted(more))).rejects.toMatchObject({
      code: expect.stringMatching(/^(INTERNAL|ADDRESS_INVALID)$/),
    });
    expect(await tables()).toBe('');
  });
});
