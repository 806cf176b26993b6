import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { stat } from '../lab/proc.ts';
import { waitFor } from '../lab/wait.ts';
import { hasLink } from './support/bridge-lab.ts';
import {
  daemonOf,
  engineView,
  linkIndexes,
  linksCalledFor,
  linksOf,
  startRestored,
  store,
} from './support/host-view.ts';
import { startContainer, wipe } from './support/macvlan-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

/*
 * The engine repeats a call that was cut off with an empty body (moby#35459), so that the driver never learns what was
 * asked; that a removal failed it logs, and forgets the thing all the same.
 */
describe.each(ENGINES)('tsnet killed with a call in hand, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    // The engine takes its time to move a link, as it does not with one that tsnet makes inside the container.
    await host.docker('network', 'create', '-d', 'tsnet', '-o', 'attach=engine', 'kept');
  });
  afterEach(() => thaw());
  afterAll(() => lab?.destroy());

  const count = (entry: string) => host.log().split(entry).length - 1;
  let frozen: number | undefined;
  const parentOf = (pid: number | undefined) => (pid === undefined ? undefined : stat(pid)?.parent);
  /** nsenter, the daemon's parent, stops itself when its child is stopped, and continues it when continued. */
  const freeze = async () => {
    frozen = daemonOf(host);
    const parent = parentOf(frozen) ?? 0;
    process.kill(frozen, 'SIGSTOP');
    await waitFor(() => stat(parent)?.state === 'T', { what: 'the daemon to be frozen' });
  };
  const thaw = () => {
    const parent = parentOf(frozen);
    if (parent !== undefined) process.kill(parent, 'SIGCONT');
    frozen = undefined;
  };

  /** Whether a call waits at the socket of the frozen daemon: bytes unread on the connection that the engine keeps. */
  const isCalled = async () => {
    const { stdout } = await host.host.sh("ss -xaH | awk '$5 ~ /plugins.tsnet.sock/ && $3 > 0'");
    return stdout !== '';
  };

  /** Waits until a call waits at the socket of the frozen daemon, and kills it with that. */
  const killWithCall = async () => {
    await waitFor(isCalled, { what: 'a call of the engine' });
    if (frozen !== undefined) process.kill(frozen, 'SIGKILL');
    thaw();
    await host.stop('KILL');
    await startRestored(host, '--orphan-grace', '1');
  };

  const agree = async () => {
    const view = await store(host);
    const known = await engineView(host);
    const same = (a: string[], b: string[]) => JSON.stringify([...a].sort()) === JSON.stringify(b);
    return (
      same(
        view.networks.map(network => network.id),
        known.networks,
      ) &&
      same(
        view.endpoints.map(endpoint => endpoint.id),
        known.endpoints,
      ) &&
      same(linksCalledFor(view), Object.keys(await linkIndexes(host)))
    );
  };
  const soonAgree = () =>
    waitFor(agree, {
      timeout: 25_000,
      what: () => `tsnet to agree with the engine:\n${host.log().slice(-3000)}`,
    });

  it('removes a network whose removal it never heard of', async () => {
    await host.docker('network', 'create', '-d', 'tsnet', 'gone');
    await waitFor(async () => (await store(host)).networks.every(n => n.name !== undefined), {
      what: 'the names',
    });
    await freeze();
    const removal = host.docker('network', 'rm', 'gone');
    await killWithCall();
    await removal;
    // the log is written after the answer
    await waitFor(() => count('NetworkDriver.DeleteNetwork outcome=BODY_EMPTY') === 1, {
      what: 'the refusal to be logged',
    });
    await soonAgree();
  });

  it('removes an endpoint whose removal it never heard of', async () => {
    await startContainer(host, 'c1', 'bridge');
    // Between Leave and DeleteEndpoint the engine moves a link, which takes longer than seeing the first in the log.
    await waitFor(
      async () => {
        const [leaves, deletes] = [count('NetworkDriver.Leave '), count('NetworkDriver.DeleteEndpoint ')];
        await host.docker('network', 'connect', 'kept', 'c1');
        const { inside } = await linksOf(host, 'c1', 'kept');
        const disconnect = host.docker('network', 'disconnect', 'kept', 'c1');
        await waitFor(() => count('NetworkDriver.Leave ') > leaves, { what: 'Leave' });
        await freeze();
        const isBetween = async () => (await hasLink(host.host, inside)) && (await isCalled());
        // or else DeleteEndpoint has been answered, or was in hand already
        const isIn =
          count('NetworkDriver.DeleteEndpoint ') === deletes &&
          (await waitFor(isBetween, { timeout: 1000, what: 'DeleteEndpoint' }).catch(() => false));
        if (isIn) await killWithCall();
        else thaw();
        await disconnect;
        return count('NetworkDriver.DeleteEndpoint outcome=BODY_EMPTY') > 0;
      },
      { timeout: 60_000, what: 'a kill between Leave and DeleteEndpoint' },
    );
    await soonAgree();
  });

  it('leaves nothing of a network, or an attachment, that it was killed while making', async () => {
    await freeze();
    const creation = host.refused('network', 'create', '-d', 'tsnet', 'half');
    await killWithCall();
    expect(await creation).toContain('BODY_EMPTY');
    await freeze();
    const connection = host.refused('network', 'connect', 'kept', 'c1');
    await killWithCall();
    expect(await connection).toContain('BODY_EMPTY');
    await soonAgree();
    // and the same commands work now
    await host.docker('network', 'create', '-d', 'tsnet', 'half');
    await host.docker('network', 'connect', 'half', 'c1');
    await soonAgree();
    await wipe(host);
  });
});
