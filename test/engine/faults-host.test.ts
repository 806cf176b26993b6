import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLOCK_FAULTS, clockBack, clockForward } from '../../chaos/faults/clock.ts';
import { cableOut, LAN_FAULTS, parentDeleted, parentDown } from '../../chaos/faults/lan.ts';
import * as links from '../../chaos/faults/links.ts';
import * as rules from '../../chaos/faults/rules.ts';
import type { Fault } from '../../chaos/world/types.ts';
import { FaultLab } from './support/fault-lab.ts';
import { ENGINES } from './support/tsnet-host.ts';

/** What heals by itself, and what tsnet's log says of it. */
const HEALING: readonly (readonly [Fault, RegExp])[] = [
  [links.bridgeDeleted, /reason="link ts[bv]\w+ (removed|down|taken off its bridge)"/],
  [links.bridgeDown, /reason="link tsb\w+ down"/],
  [links.bridgeAddressesFlushed, /reason="address .*198\.18\.64\.1\/24 removed"/],
  [links.portDown, /reason="link tsv\w+ down"/],
  [links.portUnplugged, /reason="link tsv\w+ taken off its bridge"/],
  [links.shimDeleted, /reason="link tss\w+ (removed|down)"/],
  [links.shimDown, /reason="link tss\w+ down"/],
  [rules.shimRoutesFlushed, /reason="route .*198\.18\.0\.\d+\/32 removed"/],
  [rules.shimNeighboursFlushed, /reason="neighbour .*198\.18\.0\.\d+ entry removed"/],
  [rules.tableDeleted, /reason="the firewall table was changed"/],
  [rules.tableFlushed, /reason="the firewall table was changed"/],
  [rules.setsFlushed, /reason="the firewall table was changed"/],
  [rules.dockerUserFlushed, /rule in DOCKER-USER/],
];

/** What takes a container's link along, which comes back with a restart of the container alone. */
const FINAL: readonly Fault[] = [links.portDeleted, links.containerLinkDeleted];

it('every fault of links and rules is tried', () => {
  const tried = [...HEALING.map(([fault]) => fault.kind), ...FINAL.map(fault => fault.kind)].sort();
  expect(tried).toEqual([...links.LINK_FAULTS, ...rules.RULE_FAULTS].map(fault => fault.kind).sort());
  expect([cableOut, parentDown, parentDeleted]).toEqual(LAN_FAULTS);
  expect([clockForward, clockBack]).toEqual(CLOCK_FAULTS);
});

it('nothing of tsnet asks for the time of day, but for the stamps that its log library writes', () => {
  const src = join(import.meta.dirname, '../../src');
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(100);
  const asking = files.filter(name => /\bDate\b|\btimeOrigin\b/.test(readFileSync(join(src, name), 'utf8')));
  expect(asking).toEqual([]);
});

/** Those that only the kernel has a part in are tried with one engine. */
const NEWEST = ENGINES.at(-1) ?? '20.10';

describe(`faults of the host, engine ${NEWEST}`, () => {
  let lab: FaultLab;

  beforeAll(async () => {
    lab = await FaultLab.make(NEWEST);
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  it.each(HEALING.map(([fault, said]) => [fault.kind, fault, said] as const))(
    '%s: heals by itself, and is said in the log',
    async (_, fault, said) => {
      const mark = lab.daemon.mark();
      await lab.during(fault);
      await lab.isWhole();
      expect(lab.daemon.since(mark)).toMatch(said);
    },
  );

  it('a cable that is pulled costs the LAN and nothing else', async () => {
    await lab.during(cableOut, async () => {
      const lacking = await lab.lacking();
      expect(lacking).toEqual(
        expect.arrayContaining(['web2 to the LAN', 'lan2 to the LAN', 'the LAN to web1', 'the LAN to lan1']),
      );
      expect(lacking).not.toContain('web1 to web2');
      expect(lacking).not.toContain('the host to web1');
    });
    await lab.isWhole();
  });

  it.each([
    [clockForward.kind, clockForward, 400],
    [clockBack.kind, clockBack, -400],
  ] as const)(
    '%s: containers start and end as ever, and only the log tells the time',
    async (_, fault, days) => {
      const said = await lab.during(fault, async () => {
        await lab.runOneMore();
        await lab.host.docker('restart', '-t', '0', 'web1');
        await lab.isWhole();
      });
      const times = said
        .split('\n')
        .filter(line => line.includes('NetworkDriver.Join'))
        .map(line => Date.parse(line.slice(0, 24)));
      expect(times.length).toBeGreaterThan(1);
      for (const time of times) expect(Math.round((time - Date.now()) / 86_400_000)).toBe(days);
      expect(said).not.toMatch(/ (WARN|ERROR) /);
      await lab.isWhole();
    },
  );
});

describe.each(ENGINES)('faults that a container has to be started anew after, engine %s', engine => {
  let lab: FaultLab;

  beforeAll(async () => {
    lab = await FaultLab.make(engine);
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  it.each(FINAL.map(fault => [fault.kind, fault] as const))(
    '%s: the container is without it until it is restarted, all others go on',
    async (_, fault) => {
      let lacking: string[] = [];
      await lab.during(fault, async () => {
        lacking = await lab.lacking();
      });
      expect(lacking.length).toBeGreaterThan(0);
      // One container is in all of them.
      const names = ['web1', 'web2', 'lan1', 'lan2'];
      expect(names.filter(name => lacking.every(way => way.includes(name)))).toHaveLength(1);
      await lab.isWhole();
    },
  );

  it.each([parentDown, parentDeleted].map(fault => [fault.kind, fault] as const))(
    '%s: its macvlan network is cut off, bridges are not; new containers on a bridge start meanwhile',
    async (_, fault) => {
      const said = await lab.during(fault, async () => {
        const lacking = await lab.lacking();
        expect(lacking).toEqual(expect.arrayContaining(['lan2 to the LAN', 'the LAN to lan1']));
        expect(lacking).not.toContain('web1 to web2');
        await lab.runOneMore();
        expect(await lab.host.refused('run', '--rm', '--network', 'lan', 'busybox', 'true')).toMatch(
          fault === parentDown ? /PARENT_DOWN: .*eth0/ : /PARENT_MISSING: .*eth0/,
        );
      });
      expect(said).toMatch(/eth0/);
      await lab.isWhole();
    },
  );
});
