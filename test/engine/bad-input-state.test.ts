import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { clean, createNetwork, ownElements } from './support/bridge-lab.ts';
import { store } from './support/host-view.ts';
import { answers, attached, startContainer } from './support/macvlan-lab.ts';
import { ENGINES, TsnetHost } from './support/tsnet-host.ts';

const STATE = '/var/lib/tsnet';

/** What fails in the state directory is told, changes nothing, and is over as soon as the directory is well again. */
describe.each(ENGINES)('a state directory that fails, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;
  const sh = (line: string) => host.host.sh(line);
  const inside = (container: string) => ({ on: host, container });
  const refusedCreate = () => host.refused('network', 'create', '-d', 'tsnet', 'more');

  /** A host whose state directory a test has prepared, with the daemon on it. */
  async function boot(prepare?: string, ...args: string[]): Promise<void> {
    lab = await Lab.create({ hosts: [{ engine }] });
    host = new TsnetHost(lab.host());
    if (prepare !== undefined) await sh(prepare);
    await Promise.all([host.start(...args), host.host.loadImage()]);
  }

  /** A container in full use, for all that follows to leave alone. */
  async function useIt() {
    await createNetwork(host, 'web', '--subnet', '198.18.9.0/24');
    return startContainer(host, 'c1', 'web');
  }

  /** The host as it must stay, whatever is refused. */
  async function asItIs() {
    const names = await host.docker('network', 'ls', '--format', '{{.Name}}');
    return { names, links: await host.links(), elements: await ownElements(host) };
  }

  const expectInUse = async (address: string): Promise<void> => {
    expect(await answers(host.host, address)).toBe(true);
    expect(await answers(inside('c1'), '198.18.0.1')).toBe(true);
  };

  describe('too small from the start', () => {
    beforeAll(() => boot(`mount -t tmpfs -o size=16k none ${STATE}`));
    afterAll(() => lab?.destroy());

    it('is told with each command, and nothing is made', async () => {
      for (let time = 0; time < 3; time++) expect(await refusedCreate()).toContain('STATE_FULL: ');
      expect(await host.links()).toEqual([]);
      expect(await ownElements(host)).toEqual([]);
    });

    it('is used once there is space, without a restart', async () => {
      await sh(`mount -o remount,size=2m ${STATE}`);
      await expectInUse((await useIt()).address4);
      await clean(host);
    });
  });

  describe('that fills up', () => {
    beforeAll(() => boot(`mount -t tmpfs -o size=1m none ${STATE}`, '--orphan-grace', '1'));
    afterAll(() => lab?.destroy());
    const fill = () => sh(`cat /dev/zero > ${STATE}/ballast 2> /dev/null || true`);
    const free = () => sh(`rm -f ${STATE}/ballast`);

    it('takes no more networks and containers, and those there are go on', async () => {
      const { address4 } = await useIt();
      const before = await asItIs();
      const rows = await store(host);
      await fill();
      expect(await refusedCreate()).toContain('STATE_FULL: ');
      const run = ['run', '-d', '--name', 'c2', '--network', 'web', 'busybox', 'sleep', '1d'];
      expect(await host.refused(...run)).toContain('STATE_FULL: ');
      expect(await asItIs()).toEqual(before);
      await expectInUse(address4);

      await free();
      expect(await store(host)).toMatchObject({ endpoints: rows.endpoints });
      await host.docker('start', 'c2');
      expect(await answers(inside('c2'), 'c1')).toBe(true);
      await clean(host);
    });

    it('keeps nothing for good of what the engine removed meanwhile', async () => {
      await useIt();
      await fill();
      // the engine takes no error for an answer here
      await host.docker('rm', '-f', 'c1');
      await host.docker('network', 'rm', 'web');
      await free();
      await createNetwork(host, 'later', '--subnet', '198.18.10.0/24');
      await host.docker('network', 'rm', 'later');
      await waitFor(async () => (await host.links()).length === 0, {
        what: 'what was removed to be gone',
        timeout: 30_000,
      });
      await clean(host);
    });
  });

  describe('that cannot be written', () => {
    beforeAll(() => boot(`mount -t tmpfs -o size=4m none ${STATE}; mount -o remount,ro ${STATE}`));
    afterAll(() => lab?.destroy());

    /**
     * The kernel refuses it while the file is open for writing, which tsnet has it in use. So another program locks the
     * file first: that is told as well, and the file closed until the next command.
     */
    async function makeReadOnly(): Promise<void> {
      const lock = `const { DatabaseSync } = require('node:sqlite');
        new DatabaseSync('${STATE}/tsnet.db').exec('BEGIN IMMEDIATE');
        require('node:fs').writeFileSync('/run/locked', '');
        setInterval(() => undefined, 1000);`;
      const other = await host.host.spawn('node', ['-e', lock]);
      await waitFor(
        () =>
          sh('test -e /run/locked').then(
            () => true,
            () => false,
          ),
        { what: 'the lock' },
      );
      expect(await refusedCreate()).toContain('STATE_UNWRITABLE: ');
      await other.stop();
      await sh(`rm /run/locked; mount -o remount,ro ${STATE}`);
    }

    it('is told with each command, and used once it can be written', async () => {
      expect(await refusedCreate()).toContain('STATE_UNWRITABLE: ');
      expect(await host.links()).toEqual([]);
      await sh(`mount -o remount,rw ${STATE}`);
      await expectInUse((await useIt()).address4);
    });

    it('is told when it becomes so in use, and the host stays as it is', async () => {
      const { address4 } = await attached(host, 'c1', 'web');
      const before = await asItIs();
      await makeReadOnly();
      expect(await refusedCreate()).toContain('STATE_UNWRITABLE: ');
      const run = ['run', '-d', '--name', 'c2', '--network', 'web', 'busybox', 'sleep', '1d'];
      expect(await host.refused(...run)).toContain('STATE_UNWRITABLE: ');
      expect(await asItIs()).toEqual(before);
      await expectInUse(address4);

      await sh(`mount -o remount,rw ${STATE}`);
      await host.docker('start', 'c2');
      expect(await answers(inside('c2'), 'c1')).toBe(true);
      await clean(host);
    });

    it('gives an address out again whose container was removed meanwhile', async () => {
      const { address4 } = await useIt();
      await makeReadOnly();
      await host.docker('rm', '-f', 'c1');
      await sh(`mount -o remount,rw ${STATE}`);
      await startContainer(host, 'c1', 'web', '--ip', address4);
      await expectInUse(address4);
      expect((await store(host)).endpoints).toHaveLength(1);
      await clean(host);
    });
  });

  describe('with a file that is damaged, and no copy of it', () => {
    beforeAll(() => boot());
    afterAll(() => lab?.destroy());
    const sum = async () => String((await sh(`sha256sum < ${STATE}/tsnet.db`)).stdout);

    it.each([
      ['garbage', `head -c 40000 /dev/urandom > ${STATE}/tsnet.db`],
      ['a text', `echo '{"networks":[]}' > ${STATE}/tsnet.db`],
      ['half of itself', `truncate -s 10000 ${STATE}/tsnet.db`],
      ['zeros in its middle', `dd if=/dev/zero of=${STATE}/tsnet.db bs=4096 seek=1 count=4 conv=notrunc`],
    ])('starts on %s, says so, and touches neither file nor host', async (_, damage) => {
      const { address4 } = await useIt();
      const before = await asItIs();
      await host.stop();
      await sh(
        `cp ${STATE}/tsnet.db /root/backup.db; rm -f ${STATE}/tsnet.db-* ${STATE}/tsnet.db.good; ${damage}`,
      );
      const damaged = await sum();
      await host.start();

      expect(await refusedCreate()).toContain('STATE_CORRUPT: ');
      const run = ['run', '-d', '--name', 'c2', '--network', 'web', 'busybox', 'sleep', '1d'];
      expect(await host.refused(...run)).toContain('STATE_CORRUPT: ');
      expect(await asItIs()).toEqual(before);
      await expectInUse(address4);
      expect(await sum()).toBe(damaged);

      // the backup is put back, and tsnet started again
      await host.stop();
      expect(await sum()).toBe(damaged);
      await sh(`rm -f ${STATE}/tsnet.db-*; cp /root/backup.db ${STATE}/tsnet.db`);
      await host.start();
      await host.docker('start', 'c2');
      expect(await asItIs()).toMatchObject({ names: before.names });
      expect(await answers(inside('c2'), 'c1')).toBe(true);
      await expectInUse(address4);
      await clean(host);
    });
  });
});
