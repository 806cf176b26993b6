import { describe, expect, it } from 'vitest';
import { NetlinkError } from '../../../src/kernel/netlink/netlink-error.ts';
import { Reaper } from '../../../src/kernel/rtnetlink/reaper.ts';

/** Links by name, with deletions that end when they are told to. */
class Links {
  readonly indexes = new Map([
    ['tsv1', 1],
    ['tsv2', 2],
  ]);
  readonly deleted: number[] = [];
  readonly #ends: { resolve: () => void; reject: (error: Error) => void }[] = [];

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

const reaper = () => {
  const links = new Links();
  const errors: unknown[] = [];
  return { links, errors, reaper: new Reaper(links as never, error => errors.push(error)) };
};

describe('a link that is deleted', () => {
  it('is not waited for, but for its name', async () => {
    const { links, reaper: one } = reaper();
    await one.delete('tsv1', 'tsnet:n:e');
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
    await Promise.all([one.delete('tsv1', 'm'), one.delete('tsv1', 'm')]);
    await one.delete('tsv1', 'm');
    expect(links.deleted).toEqual([1]);
  });

  it("is left alone where it is not there, or not tsnet's", async () => {
    const { links, reaper: one } = reaper();
    await one.delete('eth0', 'm');
    await one.settled();
    expect(links.deleted).toEqual([]);
  });

  it('is reported where the kernel refuses', async () => {
    const { links, errors, reaper: one } = reaper();
    await one.delete('tsv1', 'm');
    await one.delete('tsv2', 'm');
    links.end(new NetlinkError(1, 'RTM_DELLINK 1'));
    links.end();
    await one.settled();
    expect(errors.map(String)).toEqual([expect.stringContaining('RTM_DELLINK 1')]);
    expect(['tsv1', 'tsv2'].map(name => one.isDeleting(name))).toEqual([false, false]);
  });
});
