import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  answersCut,
  REQUEST_FAULTS,
  requestsCut,
  requestsRepeated,
  silentClients,
} from '../../chaos/faults/requests.ts';
import {
  diskFull,
  diskReadOnly,
  fileCorrupted,
  fileRemoved,
  fileTruncated,
  STORE_FAULTS,
} from '../../chaos/faults/store.ts';
import { waitFor } from '../lab/wait.ts';
import { FaultLab } from './support/fault-lab.ts';
import { engineView, store } from './support/host-view.ts';
import { ENGINES } from './support/tsnet-host.ts';

const NETWORKS = 2;
const CONTAINERS = 4;
/** That many networks with two hundred names each are more than the disk has room for. */
const MOST_EXTRA = 60;

it('every fault of the store and of the line is tried', () => {
  expect([diskFull, diskReadOnly, fileTruncated, fileCorrupted, fileRemoved]).toEqual(STORE_FAULTS);
  expect([requestsRepeated, requestsCut, answersCut, silentClients]).toEqual(REQUEST_FAULTS);
});

/** Engines have no part in it. */
const NEWEST = ENGINES.at(-1) ?? '20.10';

describe(`faults of the store, engine ${NEWEST}`, () => {
  let lab: FaultLab;

  beforeAll(async () => {
    lab = await FaultLab.make(NEWEST);
  });
  afterEach(() => lab.host.host.discard('late'));
  afterAll(() => lab?.[Symbol.asyncDispose]());

  const isCopied = () =>
    lab.host.host.sh('cd /var/lib/tsnet && [ tsnet.db.good -nt tsnet.db-wal ]', { reject: false });
  const runLate = () =>
    lab.host.docker('run', '-d', '--name', 'late', '--network', 'web', 'busybox', 'sleep', '1d');

  /** Creates networks that take some room each until one is refused. @returns docker's words */
  const refusedNetwork = async (): Promise<string> => {
    const aux = Array.from({ length: 200 }, (_, i) => ['--aux-address', `a${i}=198.18.128.${i + 10}`]).flat();
    for (let k = 0; k < MOST_EXTRA; k++) {
      const subnet = ['--subnet', `198.18.${128 + k}.0/24`];
      const mine = aux.map(text => text.replace('198.18.128.', `198.18.${128 + k}.`));
      const { host } = lab.host;
      const { stderr } = await host.docker(
        'network',
        'create',
        '-d',
        'tsnet',
        ...subnet,
        ...mine,
        `extra${k}`,
      );
      if (stderr !== '') return String(stderr);
    }
    throw new Error(`${MOST_EXTRA} networks found room`);
  };
  const removeExtra = async () => {
    const listed = await lab.host.docker('network', 'ls', '-q', '-f', 'name=extra');
    const ids = listed.split('\n').filter(id => id !== '');
    if (ids.length > 0) await lab.host.docker('network', 'rm', ...ids);
  };

  /** What the store has is what the engine has, and nothing besides. */
  const inStep = async () => {
    const agrees = async () => {
      const kept = await store(lab.host);
      const known = await engineView(lab.host);
      const ours = [kept.networks, kept.endpoints].map(rows => rows.map(({ id }) => id).sort());
      return JSON.stringify(ours) === JSON.stringify([known.networks, known.endpoints]) && known;
    };
    const { networks, endpoints } = await waitFor(agrees, { what: 'store and engine to agree' });
    expect([networks.length, endpoints.length]).toEqual([NETWORKS, CONTAINERS]);
  };

  it.each([
    [diskFull.kind, diskFull, 'STATE_FULL', /no space|disk is full/i],
    [diskReadOnly.kind, diskReadOnly, 'STATE_UNWRITABLE', /readonly|read-only/i],
  ] as const)(
    '%s: containers that run go on, a new network is refused with the reason, and all is well as soon as it ends',
    async (_, fault, code, words) => {
      await lab.during(fault, async () => {
        expect(await lab.lacking()).toEqual([]);
        const refusal = await refusedNetwork();
        expect(refusal).toContain(`${code}: /var/lib/tsnet`);
        expect(refusal).toMatch(words);
        expect(await lab.status()).toMatch(new RegExp(`^state +${code}: `, 'm'));
      });
      await removeExtra();
      await lab.runOneMore();
      expect(await lab.status()).toMatch(/^state +can be read and written$/m);
      await lab.isWhole();
      await inStep();
    },
  );

  it.each([fileTruncated, fileCorrupted].map(fault => [fault.kind, fault] as const))(
    '%s: the last good state is in use, which log and status say, and the damaged file is kept',
    async (_, fault) => {
      const before = [...(await lab.status()).matchAll(/damaged-(\d+)/g)].length;
      // All is in the file, and what comes now is in the log only.
      await waitFor(async () => (await isCopied()).exitCode === 0, { what: 'the state to be copied' });
      await runLate();
      const said = await lab.during(fault);
      expect(said).toMatch(
        / ERROR STATE_CORRUPT: \/var\/lib\/tsnet\/tsnet\.db: .*: the last good state is in use/,
      );
      const kept = /the damaged file is kept as (\S+)$/m.exec(said)?.[1] ?? '';
      expect((await lab.host.host.exec('test', ['-f', kept], { reject: false })).exitCode).toBe(0);
      const status = await lab.status();
      expect(status).toContain(kept);
      expect([...status.matchAll(/damaged-(\d+)/g)]).toHaveLength(before + 1);
      // Nobody has noticed, and nothing that was done last is forgotten.
      expect(await lab.lacking()).toEqual([]);
      expect(await lab.host.pings('late', { container: 'web1' })).toBe(true);
      await lab.host.docker('rm', '-f', 'late');
      await lab.runOneMore();
      await inStep();
    },
  );

  it('store-removed: the last good state is in use, also when it is removed under the running tsnet', async () => {
    expect(await lab.during(fileRemoved)).toMatch(/tsnet\.db is missing: the last good state is in use/);
    expect(await lab.lacking()).toEqual([]);
    const mark = lab.daemon.mark();
    await lab.host.host.sh('rm /var/lib/tsnet/tsnet.db');
    await lab.runOneMore();
    expect(lab.daemon.since(mark)).toMatch(/tsnet\.db is missing: the last good state is in use/);
    await inStep();
  });

  it('restores the host from a disk that cannot be written, but for what has to be forgotten', async () => {
    const { host, daemon } = lab;
    await runLate();
    const endpoint = String((await host.attachment('late', 'web'))['EndpointID']);
    await daemon.kill();
    // As if the container had died with the host: its port is gone, and so is the bridge.
    await host.host.sh(`ip -j -d link | tr '{' '\\n' | grep -o '"ifname":"tsb[0-9a-f]*"' | cut -d'"' -f4 | xargs -n1 ip link del
      for port in $(ls /sys/class/net | grep tsv); do
        grep -q ${endpoint} /sys/class/net/$port/ifalias && ip link del $port || :
      done
      mount -o remount,bind,ro /var/lib/tsnet`);
    try {
      await daemon.start();
      await lab.isWhole();
    } finally {
      await host.host.sh('mount -o remount,bind,rw /var/lib/tsnet');
    }
    await host.docker('rm', '-f', 'late');
    await daemon.kill();
    await daemon.start();
    await inStep();
  });
});

describe.each(ENGINES)('faults of the line between engine and tsnet, engine %s', engine => {
  let lab: FaultLab;

  beforeAll(async () => {
    lab = await FaultLab.make(engine);
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  const nothingLeft = async () => {
    await lab.isWhole();
    const isClean = async () => {
      const { networks, endpoints } = await store(lab.host);
      return networks.length === NETWORKS && endpoints.length === CONTAINERS;
    };
    await waitFor(isClean, { what: 'what was cut off to be collected' });
    const ports = (await lab.host.links()).filter(link => link.startsWith('tsv'));
    expect(ports).toHaveLength(CONTAINERS / 2);
  };

  it.each([requestsCut, answersCut].map(fault => [fault.kind, fault] as const))(
    '%s: the command that they belong to fails with the reason, or succeeds; nothing is left of it',
    async (_, fault) => {
      const ends: string[] = [];
      const said = await lab.during(fault, async () => {
        for (let k = 0; k < 3; k++) {
          const { stderr } = await lab.host.host.docker(
            'run',
            '--name',
            `cut${k}`,
            '--network',
            'web',
            'busybox',
            'true',
          );
          ends.push(String(stderr));
          await lab.host.host.discard(`cut${k}`);
        }
        expect(await lab.lacking()).toEqual([]);
      });
      expect(said).toMatch(/outcome=BODY_EMPTY/);
      for (const end of ends)
        expect(end === '' || end.includes('BODY_EMPTY: the request has no body')).toBe(true);
      expect(ends.some(end => end !== '')).toBe(true);
      await lab.runOneMore();
      await nothingLeft();
    },
  );

  // What follows is the same with every engine.
  if (engine !== NEWEST) return;

  it('requests that come twice are done once', async () => {
    const said = await lab.during(requestsRepeated, async () => {
      await lab.runOneMore();
      await lab.host.docker('network', 'create', '-d', 'tsnet', '--ipam-driver', 'tsnet', 'twice');
      await lab.host.docker('run', '--rm', '--network', 'twice', '-p', '8090:80', 'busybox', 'true');
      await lab.host.docker('network', 'rm', 'twice');
    });
    expect([...said.matchAll(/NetworkDriver\.Join outcome=ok/g)]).toHaveLength(4);
    expect(said).not.toMatch(/ (WARN|ERROR) /);
    expect((await store(lab.host)).leases).toEqual([]);
    await nothingLeft();
  });

  it('clients that connect and say nothing keep nobody waiting, not even the end of tsnet', async () => {
    await lab.during(silentClients, async () => {
      const began = performance.now();
      await lab.runOneMore();
      expect(performance.now() - began).toBeLessThan(10_000);
      const { mark, end } = { mark: lab.daemon.mark(), end: performance.now() };
      await lab.daemon.stop();
      expect(performance.now() - end).toBeLessThan(5000);
      expect(lab.daemon.since(mark)).toContain('stopping on SIGTERM');
      await lab.daemon.start();
    });
    await nothingLeft();
  });
});
