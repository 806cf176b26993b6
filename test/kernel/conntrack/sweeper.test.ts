import { describe, expect, it } from 'vitest';
import type { FlowMatch } from '../../../src/host-state/flows.ts';
import { FlowSweeper } from '../../../src/kernel/conntrack/sweeper.ts';

const of = (container: string): FlowMatch => ({ family: 4, container });
const [A, B, C] = ['198.18.0.2', '198.18.0.3', '198.18.0.4'];

/** A conntrack whose walks end when they are told to. */
class Walks {
  readonly begun: (readonly FlowMatch[])[] = [];
  readonly #ends: { resolve: () => void; reject: (error: Error) => void }[] = [];

  forget(matches: readonly FlowMatch[]): Promise<void> {
    this.begun.push(matches);
    return new Promise((resolve, reject) => this.#ends.push({ resolve, reject }));
  }
  async end(error?: Error): Promise<void> {
    const walk = this.#ends.shift();
    if (error === undefined) walk?.resolve();
    else walk?.reject(error);
    await turn();
  }
}

/** Lets a walk begin: the call that asks for it is answered first. */
const turn = () => new Promise(resolve => setImmediate(resolve));

const isOver = async (promise: Promise<void>): Promise<boolean> => {
  const pending = Symbol('pending');
  await turn();
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
};

describe('tracked connections', () => {
  it('asked for during a walk share the next one', async () => {
    const walks = new Walks();
    const sweeper = new FlowSweeper(walks, () => undefined);
    sweeper.forget([of(A)]);
    await turn();
    sweeper.forget([of(B)]);
    sweeper.forget([of(C)]);
    expect(walks.begun).toEqual([[of(A)]]);
    await walks.end();
    expect(walks.begun).toEqual([[of(A)], [of(B), of(C)]]);
    await walks.end();
    sweeper.forget([of(A)]);
    expect(walks.begun).toHaveLength(2);
    await turn();
    expect(walks.begun).toHaveLength(3);
  });

  it('of a container are waited for by its successor, and by nobody else', async () => {
    const walks = new Walks();
    const sweeper = new FlowSweeper(walks, () => undefined);
    sweeper.forget([of(A)]);
    await turn();
    sweeper.forget([of(B)]);
    const [a, b, c, all] = [[A], [B], [C], undefined].map(one => sweeper.settled(one)) as Promise<void>[];
    expect(await isOver(c as Promise<void>)).toBe(true);
    expect(await isOver(a as Promise<void>)).toBe(false);
    await walks.end();
    expect(await isOver(b as Promise<void>)).toBe(false);
    await walks.end();
    await Promise.all([a, b, all]);
  });

  it('that cannot be ended are reported, and hold up nobody', async () => {
    const walks = new Walks();
    const errors: unknown[] = [];
    const sweeper = new FlowSweeper(walks, error => errors.push(error));
    sweeper.forget([of(A)]);
    const settled = sweeper.settled([A]);
    await turn();
    await walks.end(new Error('ENOBUFS'));
    await settled;
    expect(errors.map(String)).toEqual(['Error: ENOBUFS']);
    sweeper.forget([of(B)]);
    await turn();
    expect(walks.begun).toHaveLength(2);
  });
});
