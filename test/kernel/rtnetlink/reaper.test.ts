import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Place } from '../../../src/host-state/types.ts';
import { NetlinkError } from '../../../src/kernel/netlink/netlink-error.ts';
import { Reaper } from '../../../src/kernel/rtnetlink/reaper.ts';
import {
  inOwnSandbox,
  MADE_AS,
  MARK,
  namesIn,
  placedMacvlan,
  placedVeth,
  placeIn,
} from '../sandbox/own-sandbox.ts';
import { waitFor } from '../wait-for.ts';

/** Links by name, with deletions that end when they are told to. */
class Links {
  readonly indexes = new Map([
    ['tsv1', 1],
    ['tsv2', 2],
  ]);
  readonly deleted: number[] = [];
  readonly #ends: { resolve: () => void; reject: (error: Error) => void }[] = [];

  /** Answers with what is there now, when `answered` says. */
  answered: Promise<unknown> = Promise.resolve();
  async links(): Promise<{ name: string }[]> {
    const found = [...this.indexes.keys()].map(name => ({ name }));
    await this.answered;
    return found;
  }
  async markedLink(name: string): Promise<number | undefined> {
    return this.indexes.get(name);
  }
  deleteLink(index: number): Promise<void> {
    this.deleted.push(index);
    return new Promise((resolve, reject) => this.#ends.push({ resolve, reject }));
  }
  end(error?: Error): void {
    const one = this.#ends.shift();
    if (error === undefined) one?.resolve();
    else one?.reject(error);
  }
}

/** What is asked for at once begins a moment later. */
const begun = () => new Promise(setImmediate);

const reaper = () => {
  const links = new Links();
  const errors: unknown[] = [];
  return { links, errors, reaper: new Reaper(links as never, error => errors.push(error)) };
};

describe('a link that is deleted', () => {
  it('is not waited for, but for its name', async () => {
    const { links, reaper: one } = reaper();
    one.delete('tsv1', 'tsnet:n:e');
    await begun();
    expect(links.deleted).toEqual([1]);
    expect(one.isDeleting('tsv1')).toBe(true);
    await one.settled('tsv2');
    let isFree = false;
    const free = one.settled('tsv1').then(() => {
      isFree = true;
    });
    await new Promise(setImmediate);
    expect(isFree).toBe(false);
    links.end();
    await free;
    expect(one.isDeleting('tsv1')).toBe(false);
  });

  it('is deleted once, also when that is asked for twice', async () => {
    const { links, reaper: one } = reaper();
    one.delete('tsv1', 'm');
    one.delete('tsv1', 'm');
    await begun();
    one.delete('tsv1', 'm');
    await begun();
    expect(links.deleted).toEqual([1]);
  });

  it("is left alone where it is not there, or not tsnet's", async () => {
    const { links, reaper: one } = reaper();
    one.delete('eth0', 'm');
    expect(await one.settled()).toBe(true);
    expect(links.deleted).toEqual([]);
  });

  it('is reported where the kernel refuses', async () => {
    const { links, errors, reaper: one } = reaper();
    one.delete('tsv1', 'm');
    one.delete('tsv2', 'm');
    const settled = [one.settled('tsv1'), one.settled('tsv2')];
    await begun();
    links.end(new NetlinkError(1, 'RTM_DELLINK 1'));
    links.end();
    expect(await Promise.all(settled)).toEqual([false, true]);
    expect(errors.map(String)).toEqual([expect.stringContaining('RTM_DELLINK 1')]);
    expect(['tsv1', 'tsv2'].map(name => one.isDeleting(name))).toEqual([false, false]);
  });
});

describe('the links of the host', () => {
  it('are without those on their way out', async () => {
    const { links, reaper: one } = reaper();
    one.delete('tsv1', 'm');
    await begun();
    expect(await one.staying()).toEqual([{ name: 'tsv2' }]);
    links.end();
  });

  it('are without those that have gone by the time that the kernel has answered', async () => {
    const { links, reaper: one } = reaper();
    one.delete('tsv1', 'm');
    await begun();
    links.answered = one.settled('tsv1');
    const staying = one.staying();
    links.end();
    expect(await staying).toEqual([{ name: 'tsv2' }]);
  });

  it('are without those whose deletion began before the kernel had answered', async () => {
    const { links, reaper: one } = reaper();
    links.answered = begun();
    const staying = one.staying();
    one.delete('tsv1', 'm');
    expect(await staying).toEqual([{ name: 'tsv2' }]);
    links.end();
  });
});

describe('what is leaving a sandbox', () => {
  const place = (sandbox: string, name: string): Place => ({ sandbox, name });

  it('is told by its names there, until they are free', async () => {
    const { links, reaper: one } = reaper();
    one.delete('tsv1', 'm', place('/1', 'eth100'));
    one.delete('tsv2', 'm', place('/2', 'eth101'));
    expect([...one.leaving('/1').names]).toEqual(['eth100']);
    expect([...one.leaving('/2').names]).toEqual(['eth101']);
    expect([...one.leaving('/3').names]).toEqual([]);
    let isFree = false;
    const { settled } = one.leaving('/1');
    const free = settled.then(() => {
      isFree = true;
    });
    await one.leaving('/3').settled;
    await new Promise(setImmediate);
    expect(isFree).toBe(false);
    links.end();
    await free;
    expect(one.isDeleting('tsv2')).toBe(true);
    expect([...one.leaving('/1').names]).toEqual([]);
    links.end();
    await one.settled();
  });

  it('is nothing of a link that is on the host', async () => {
    const { links, reaper: one } = reaper();
    one.delete('tsv1', 'm');
    expect([...one.leaving('/1').names]).toEqual([]);
    await begun();
    links.end();
    await one.settled();
  });
});

describe('a link that was made inside a sandbox', () => {
  const own = inOwnSandbox();
  const OTHER = `${MARK}0`;
  /** Deletes it and waits. */
  const reap = async (name: string, place?: Place): Promise<readonly unknown[]> => {
    const errors: unknown[] = [];
    const one = new Reaper(own.rtnl, error => errors.push(error));
    one.delete(name, MARK, place);
    await one.settled();
    expect(one.isDeleting(name)).toBe(false);
    return errors;
  };
  const make = async (name: string, alias: string): Promise<void> => {
    const mac = `02:42:c6:12:00:${name.slice(-2)}`;
    await own.rtnl.addLink(placedMacvlan(placeIn(own.sandbox, name), { mac }));
    await own.sandbox.sh(
      `ip link set ${MADE_AS} name ${name}; ip link set ${name} group default; ip link set ${name} alias ${alias}`,
    );
  };
  /** As an engine does that has restarted with live-restore. */
  const moveToHost = (name: string) =>
    own.sandbox.sh(`ip link set ${name} down; ip link set ${name} netns ${own.host.path.split('/')[2]}`);

  it.each([
    ['finished', 'eth100', () => make('eth100', MARK)],
    ['not finished', MADE_AS, () => own.rtnl.addLink(placedMacvlan(placeIn(own.sandbox)))],
  ])('is deleted there: a macvlan, %s', async (_, name, prepare) => {
    await prepare();
    expect(await namesIn(own.sandbox)).toEqual(['lo', name]);
    expect(await reap(MADE_AS, placeIn(own.sandbox))).toEqual([]);
    expect(await namesIn(own.sandbox)).toEqual(['lo']);
    expect(await reap(MADE_AS, placeIn(own.sandbox))).toEqual([]);
  });

  it('is deleted with its end on the host: a veth pair', async () => {
    await own.rtnl.addLink(placedVeth(placeIn(own.sandbox)));
    expect(await reap('tsv1', placeIn(own.sandbox))).toEqual([]);
    expect(await namesIn(own.sandbox)).toEqual(['lo']);
    expect(await own.rtnl.link('tsv1')).toBeUndefined();
  });

  it('is not found without its place', async () => {
    await make('eth100', MARK);
    expect(await reap(MADE_AS)).toEqual([]);
    expect(await namesIn(own.sandbox)).toEqual(['lo', 'eth100']);
  });

  it.each([
    ['the sandbox is there', async () => undefined],
    ['the sandbox is gone', () => own.sandbox[Symbol.asyncDispose]()],
  ])('is deleted where the engine has moved it to the host, under its name inside: %s', async (_, then) => {
    const place = placeIn(own.sandbox);
    await make('eth100', MARK);
    await moveToHost('eth100');
    expect(await own.rtnl.link('eth100')).toMatchObject({ alias: MARK });
    await then();
    expect(await reap(MADE_AS, place)).toEqual([]);
    expect(await own.rtnl.link('eth100')).toBeUndefined();
  });

  it('is left alone, there and on the host, where it is somebody else’s', async () => {
    await own.sandbox.ip('link', 'add', 'eth100', 'type', 'bridge');
    await own.host.ip('link', 'add', 'eth100', 'type', 'bridge');
    const before = [await namesIn(own.sandbox), await namesIn(own.host)];
    expect(await reap(MADE_AS, placeIn(own.sandbox))).toEqual([]);
    expect([await namesIn(own.sandbox), await namesIn(own.host)]).toEqual(before);
  });

  it('is left alone where it is of another endpoint', async () => {
    await make('eth100', OTHER);
    expect(await reap(MADE_AS, placeIn(own.sandbox))).toEqual([]);
    expect(await namesIn(own.sandbox)).toEqual(['lo', 'eth100']);
    await moveToHost('eth100');
    expect(await reap(MADE_AS, placeIn(own.sandbox))).toEqual([]);
    expect(await own.rtnl.link('eth100')).toMatchObject({ alias: OTHER });
  });

  it('is deleted as it was made, where the name that it was to have is somebody else’s', async () => {
    await own.sandbox.ip('link', 'add', 'eth100', 'type', 'bridge');
    await own.rtnl.addLink(placedMacvlan(placeIn(own.sandbox)));
    expect(await reap(MADE_AS, placeIn(own.sandbox))).toEqual([]);
    expect(await namesIn(own.sandbox)).toEqual(['lo', 'eth100']);
  });

  it('is the one that is deleted, of several there', async () => {
    await make('eth100', MARK);
    await make('eth101', OTHER);
    expect(await reap(MADE_AS, placeIn(own.sandbox))).toEqual([]);
    expect(await namesIn(own.sandbox)).toEqual(['lo', 'eth101']);
  });

  it.each(['/nowhere', '/dev/null', '/proc/4194304/ns/net'])(
    'is gone with its sandbox, without a word: %s',
    async sandbox => {
      expect(await reap(MADE_AS, { sandbox, name: 'eth100' })).toEqual([]);
    },
  );

  it('is told of where its sandbox is closed to tsnet, and does not hold up its name', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'reaper-test-'));
    const closed = join(directory, 'loop');
    await symlink(closed, closed);
    const errors: unknown[] = [];
    const one = new Reaper(own.rtnl, error => errors.push(error));
    one.delete(MADE_AS, MARK, { sandbox: closed, name: 'eth100' });
    expect(await one.settled(MADE_AS)).toBe(false);
    expect(errors).toEqual([expect.objectContaining({ name: 'NamespaceError', problem: 'denied' })]);
    expect(one.isDeleting(MADE_AS)).toBe(false);
    await rm(directory, { recursive: true });
  });

  it('is on its way when the call returns', async () => {
    await make('eth100', MARK);
    const one = new Reaper(own.rtnl, () => undefined);
    one.delete(MADE_AS, MARK, placeIn(own.sandbox));
    await waitFor('the name is free', async () => !(await namesIn(own.sandbox)).includes('eth100'));
    await one.settled();
  });

  it('is away from the sandbox as soon as its deletion has begun', async () => {
    await make('eth100', MARK);
    await own.kernel.apply([{ op: 'link.delete', name: MADE_AS, alias: MARK, place: placeIn(own.sandbox) }], {
      context: 'test',
      teardown: true,
    });
    expect((await own.kernel.viewSandbox(own.sandbox.path, [4, 6]))?.links).toEqual([]);
  });
});
