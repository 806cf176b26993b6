import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderGuard } from '../../src/firewall/render.ts';
import type { FirewallElement, Guard, GuardRule } from '../../src/host-state/types.ts';
import type { Target } from './lab/place.ts';
import { addressOf, ELEMENTS, ONLY_HOST, PORTS, VERSIONS } from './lab/plan.ts';
import { PublishLab } from './lab/publish-lab.ts';

let lab: PublishLab;

beforeAll(async () => {
  lab = await PublishLab.create();
});

afterAll(() => lab?.close());

const JUDGED: readonly FirewallElement[] = [
  ...ELEMENTS,
  ...VERSIONS.map((v): FirewallElement => ({ set: `ufw${v}`, key: [addressOf('a', v)] })),
];

describe.each(VERSIONS)('IPv%d', version => {
  const host = addressOf('host', version);
  const lan = addressOf('lan', version);
  const published: Target = [host, PORTS.a];
  const guardOf = (...rules: Omit<GuardRule, 'family'>[]): Guard => ({
    rules: rules.map(rule => ({ family: version, ...rule })),
    otherwise: { 4: 'deny', 6: 'deny' },
  });
  const ask = (target = published, protocol: 'tcp' | 'udp' = 'tcp') =>
    lab.at('lan').ask(target, protocol, 'short');
  const answer = `a saw ${lan}`;

  describe('a port that the host judges', () => {
    beforeAll(() => lab.table(JUDGED, guardOf()));

    const everything = version === 4 ? '0.0.0.0/0' : '::/0';
    const bits = version === 4 ? 32 : 128;
    const wide = version === 4 ? 15 : 32;
    const allow = 'allow' as const;
    const deny = 'deny' as const;
    test.each<readonly [string, Guard, string]>([
      ['nothing is allowed', guardOf(), 'silence'],
      ['everything is', { rules: [], otherwise: { 4: 'allow', 6: 'allow' } }, answer],
      ['the port of the host is', guardOf({ action: allow, ports: [[PORTS.a, PORTS.a]] }), answer],
      ['the port of the container is', guardOf({ action: allow, ports: [[80, 80]] }), 'silence'],
      ['a range is', guardOf({ action: allow, protocol: 'tcp', ports: [[8000, 8080]] }), answer],
      ['a range that ends before it is', guardOf({ action: allow, ports: [[8000, 8079]] }), 'silence'],
      ['another protocol is', guardOf({ action: allow, protocol: 'udp' }), 'silence'],
      ['the client is', guardOf({ action: allow, source: `${lan}/${bits}` }), answer],
      ['its network is', guardOf({ action: allow, source: `${lan}/${wide}` }), answer],
      ['another client is', guardOf({ action: allow, source: `${host}/${bits}` }), 'silence'],
      ['the address of the host is', guardOf({ action: allow, destination: `${host}/${bits}` }), answer],
      [
        'the address of the container is',
        guardOf({ action: allow, destination: `${addressOf('a', version)}/${bits}` }),
        'silence',
      ],
      ['the link is', guardOf({ action: allow, link: 'v-lan' }), answer],
      ['another link is', guardOf({ action: allow, link: 'fbr0' }), 'silence'],
      ['the port of the client is', guardOf({ action: allow, sourcePorts: [[1024, 65535]] }), answer],
      ['another port of the client is', guardOf({ action: allow, sourcePorts: [[1, 1023]] }), 'silence'],
      [
        'it is denied first',
        guardOf({ action: deny, source: everything }, { action: allow, source: everything }),
        'silence',
      ],
      ['it is denied after', guardOf({ action: allow }, { action: deny }), answer],
    ])('when %s', async (_, guard, wanted) => {
      await lab.nft.run(renderGuard(guard));
      expect(await ask()).toBe(wanted);
    });

    test('as it asks for one protocol', async () => {
      await lab.nft.run(renderGuard(guardOf({ action: 'allow', protocol: 'udp', ports: [[8080, 8080]] })));
      expect(await ask(published, 'udp')).toBe(answer);
      expect(await ask(published, 'tcp')).toBe('silence');
    });

    test('other containers, the host and the own network are not judged', async () => {
      await lab.nft.run(renderGuard(guardOf()));
      expect(await ask()).toBe('silence');
      expect(await ask([host, PORTS.x])).toBe(`x saw ${lan}`);
      expect(await lab.host.ask(published)).toBe(`a saw ${host}`);
      expect(await lab.at('a2').ask(published)).toMatch(/^a saw /);
      expect(await lab.at('other').ask(published, 'tcp', 'short')).toBe('silence');
    });

    test('with a limit five times', async () => {
      await lab.nft.run(renderGuard(guardOf({ action: 'allow', limit: true })));
      await lab.nft.run(`flush set inet tsnet limited${version}`);
      for (let i = 0; i < 5; i += 1) expect(await lab.at('lan').ask(published)).toBe(answer);
      expect(await ask()).toBe('silence');
      // One list for all ports, and each client for itself.
      expect(await ask([host, ONLY_HOST])).toBe('silence');
      expect(await lab.at('o').ask(published)).toBe(`a saw ${addressOf('o', version)}`);
    });
  });

  describe('a connection that is there goes on', () => {
    test('when its client is no longer allowed, and a new one is refused', async () => {
      await lab.table();
      const target: Target = [host, PORTS.restricted];
      const there = await lab.at('lan').dial(target);
      expect(await there.say()).toBe(`restricted saw ${lan}`);
      await lab.nft.elements.change(
        [],
        ELEMENTS.filter(({ set }) => set.startsWith('allow_from')),
      );
      expect(await there.say()).toBe(`restricted saw ${lan}`);
      expect(await ask(target)).toBe('silence');
      await there.hangUp();
    });

    test('when the host no longer allows it', async () => {
      await lab.table(JUDGED, guardOf({ action: 'allow' }));
      const there = await lab.at('lan').dial(published);
      expect(await there.say()).toBe(answer);
      await lab.nft.run(renderGuard(guardOf()));
      expect(await ask()).toBe('silence');
      expect(await there.say()).toBe(answer);
      await there.hangUp();
    });

    test('when the table is made anew, or was gone', async () => {
      await lab.table();
      const clients = [
        await lab.at('lan').dial(published),
        await lab.at('lan').dial([host, PORTS.macvlan]),
        await lab.at('other').dial(published),
        await lab.at('a').dial(published),
        await lab.host.dial([version === 4 ? '127.0.0.1' : host, PORTS.a]),
        await lab.at('x').dial([addressOf('y', version), 80]),
      ];
      const before = await Promise.all(clients.map(client => client.say()));
      for (const change of ['', 'flush ruleset']) {
        await lab.nft.run(change);
        await lab.table();
        expect(await Promise.all(clients.map(client => client.say()))).toEqual(before);
      }
      await Promise.all(clients.map(client => client.hangUp()));
    });
  });
});
