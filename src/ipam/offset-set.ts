import { Digits, FAN } from './digits.ts';

const ALL = -1;

/**
 * One level of the tree. Bit i of `full` says that everything under child i is in the set; a child object is there
 * only while that child is neither full nor empty, so runs of either cost nothing. Bit i of `partial` says that there is
 * one.
 */
interface Node {
  full: number;
  partial: number;
  /** By index; made with the first child, so that leaves have none. */
  children: (Node | undefined)[] | undefined;
}

const newNode = (full: number): Node => ({ full, partial: 0, children: undefined });

/**
 * A set of offsets from 0 to 2^bits - 1 that finds the next offset it does not have without walking over those it has:
 * a radix tree with one bit for "all of it is taken" at each step down. Every operation visits at most
 * one node a level twice, which is 5 levels for an IPv4 /8 and 13 for an IPv6 /64, whatever the set holds.
 */
export class OffsetSet {
  readonly #root = newNode(0);
  readonly #digits: Digits;
  /** Of the root; leaves are level 0. */
  readonly #top: number;
  /** Nodes visited since the set was made: what the claim above is tested by. */
  visits = 0;

  /** @param bits host bits of the pool, 0 to 128 */
  constructor(bits: number) {
    this.#digits = new Digits(bits);
    this.#top = this.#digits.count - 1;
  }

  has(offset: bigint): boolean {
    this.#digits.set(offset);
    let node: Node | undefined = this.#root;
    for (let level = this.#top; node !== undefined; level--) {
      this.visits++;
      const index = this.#digits.at(level);
      if (isFull(node, index)) return true;
      node = node.children?.[index];
    }
    return false;
  }

  add(offset: bigint): void {
    this.#digits.set(offset);
    this.#add(this.#root, this.#top);
  }

  delete(offset: bigint): void {
    this.#digits.set(offset);
    this.#delete(this.#root, this.#top);
  }

  /** @returns the smallest offset from `from` to `to`, both included, that is not in the set */
  firstFree(from: bigint, to: bigint): bigint | undefined {
    if (from > to) return undefined;
    this.#digits.set(from);
    if (!this.#seekFree(this.#root, this.#top)) return undefined;
    const found = this.#digits.value();
    return found <= to ? found : undefined;
  }

  #add(node: Node, level: number): void {
    this.visits++;
    const index = this.#digits.at(level);
    if (isFull(node, index)) return;
    if (level > 0) {
      const child = node.children?.[index] ?? putChild(node, index, newNode(0));
      this.#add(child, level - 1);
      if (child.full !== ALL) return;
      dropChild(node, index);
    }
    node.full |= 1 << index;
  }

  #delete(node: Node, level: number): void {
    this.visits++;
    const index = this.#digits.at(level);
    if (level === 0) {
      node.full &= ~(1 << index);
      return;
    }
    let child = node.children?.[index];
    if (child === undefined) {
      if (!isFull(node, index)) return;
      child = putChild(node, index, newNode(ALL));
      node.full &= ~(1 << index);
    }
    this.#delete(child, level - 1);
    if (child.full === 0 && child.partial === 0) dropChild(node, index);
  }

  /** Moves the digits on to the first offset under `node` that is free and not before them. @returns whether there is one */
  #seekFree(node: Node, level: number): boolean {
    this.visits++;
    const index = this.#digits.at(level);
    if (!isFull(node, index)) {
      const child = node.children?.[index];
      if (child === undefined || this.#seekFree(child, level - 1)) return true;
    }
    const next = nextClear(node.full, index + 1);
    if (next === FAN) return false;
    this.#digits.advance(level, next);
    const child = node.children?.[next];
    // A child that is not full has a free offset, so this one finds it.
    return child === undefined || this.#seekFree(child, level - 1);
  }
}

const isFull = (node: Node, index: number): boolean => (node.full & (1 << index)) !== 0;

function putChild(node: Node, index: number, child: Node): Node {
  node.children ??= new Array<Node | undefined>(FAN).fill(undefined);
  node.children[index] = child;
  node.partial |= 1 << index;
  return child;
}

function dropChild(node: Node, index: number): void {
  if (node.children !== undefined) node.children[index] = undefined;
  node.partial &= ~(1 << index);
}

/** @returns the first clear bit from `from` on, or FAN */
function nextClear(word: number, from: number): number {
  if (from >= FAN) return FAN;
  const clear = ~word & (ALL << from);
  return clear === 0 ? FAN : 31 - Math.clz32(clear & -clear);
}
