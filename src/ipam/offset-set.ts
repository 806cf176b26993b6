/** Children of a node, and offsets of a leaf: the bits of one 32-bit word, the widest that JavaScript's bit operators take. */
const FAN_BITS = 5;
const FAN = 1 << FAN_BITS;
const FAN_MASK = BigInt(FAN - 1);
const ALL = -1;

/**
 * One level of the tree. Bit i of `full` says that everything under child i is in the set; a child object is there
 * only while that child is neither full nor empty, so runs of either cost nothing.
 */
interface Node {
  full: number;
  readonly children: Map<number, Node>;
}

const emptyNode = (): Node => ({ full: 0, children: new Map() });

/**
 * A set of offsets from 0 to 2^bits - 1 that finds the next offset it does not have without walking over those it has:
 * a radix tree with one bit for "all of it is taken" at each step down. Every operation visits at most
 * one node a level twice, which is 5 levels for an IPv4 /8 and 13 for an IPv6 /64, whatever the set holds.
 */
export class OffsetSet {
  readonly #root = emptyNode();
  readonly #levels: number;
  /** Nodes visited since the set was made: what the claim above is tested by. */
  visits = 0;

  /** @param bits host bits of the pool, 0 to 128 */
  constructor(bits: number) {
    this.#levels = Math.max(1, Math.ceil(bits / FAN_BITS));
  }

  has(offset: bigint): boolean {
    let node: Node | undefined = this.#root;
    for (let level = this.#levels - 1; node !== undefined; level--) {
      this.visits++;
      const index = indexAt(offset, level);
      if (isFull(node, index)) return true;
      node = node.children.get(index);
    }
    return false;
  }

  add(offset: bigint): void {
    this.#add(this.#root, this.#levels - 1, offset);
  }

  delete(offset: bigint): void {
    this.#delete(this.#root, this.#levels - 1, offset);
  }

  /** @returns the smallest offset from `from` to `to`, both included, that is not in the set */
  firstFree(from: bigint, to: bigint): bigint | undefined {
    if (from > to) return undefined;
    const found = this.#firstFree(this.#root, this.#levels - 1, from);
    return found !== undefined && found <= to ? found : undefined;
  }

  #add(node: Node, level: number, offset: bigint): void {
    this.visits++;
    const index = indexAt(offset, level);
    if (isFull(node, index)) return;
    if (level > 0) {
      let child = node.children.get(index);
      if (child === undefined) {
        child = emptyNode();
        node.children.set(index, child);
      }
      this.#add(child, level - 1, offset);
      if (child.full !== ALL) return;
      node.children.delete(index);
    }
    node.full |= 1 << index;
  }

  #delete(node: Node, level: number, offset: bigint): void {
    this.visits++;
    const index = indexAt(offset, level);
    if (level === 0) {
      node.full &= ~(1 << index);
      return;
    }
    let child = node.children.get(index);
    if (child === undefined) {
      if (!isFull(node, index)) return;
      child = { full: ALL, children: new Map() };
      node.children.set(index, child);
      node.full &= ~(1 << index);
    }
    this.#delete(child, level - 1, offset);
    if (child.full === 0 && child.children.size === 0) node.children.delete(index);
  }

  /** @param from offset within the whole; what lies under `node` and before it is not looked at */
  #firstFree(node: Node, level: number, from: bigint): bigint | undefined {
    this.visits++;
    const index = indexAt(from, level);
    if (!isFull(node, index)) {
      const child = node.children.get(index);
      if (child === undefined) return from;
      const found = this.#firstFree(child, level - 1, from);
      if (found !== undefined) return found;
    }
    const next = nextClear(node.full, index + 1);
    if (next === FAN) return undefined;
    const shift = BigInt(level * FAN_BITS);
    const start = (((from >> shift) & ~FAN_MASK) | BigInt(next)) << shift;
    const child = node.children.get(next);
    // A child that is not full has a free offset, so this one finds it.
    return child === undefined ? start : this.#firstFree(child, level - 1, start);
  }
}

const indexAt = (offset: bigint, level: number): number =>
  Number((offset >> BigInt(level * FAN_BITS)) & FAN_MASK);

const isFull = (node: Node, index: number): boolean => (node.full & (1 << index)) !== 0;

/** @returns the first clear bit from `from` on, or FAN */
function nextClear(word: number, from: number): number {
  if (from >= FAN) return FAN;
  const clear = ~word & (ALL << from);
  return clear === 0 ? FAN : 31 - Math.clz32(clear & -clear);
}
