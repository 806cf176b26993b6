/** A digit stands for one of the bits of a 32-bit word, the widest that JavaScript's bit operators take. */
const BITS = 5;
export const FAN = 1 << BITS;
const MASK = FAN - 1;
/** Digits that one of V8's small integers holds: arithmetic with these needs no memory, with BigInts it does. */
const CHUNK = 6;
const CHUNK_BITS = CHUNK * BITS;
const SHIFT = BigInt(CHUNK_BITS);

/** One offset at a time, digit by digit: number 0 is the least significant. */
export class Digits {
  /** How many there are, at least one. */
  readonly count: number;
  readonly #digits: Uint8Array;

  /** @param bits of the largest offset */
  constructor(bits: number) {
    this.count = Math.max(1, Math.ceil(bits / BITS));
    this.#digits = new Uint8Array(this.count);
  }

  at(level: number): number {
    return this.#digits[level] ?? 0;
  }

  set(offset: bigint): void {
    let rest = offset;
    for (let start = 0; start < this.count; start += CHUNK) {
      let chunk = Number(BigInt.asUintN(CHUNK_BITS, rest));
      const end = Math.min(start + CHUNK, this.count);
      for (let level = start; level < end; level++) {
        this.#digits[level] = chunk & MASK;
        chunk >>= BITS;
      }
      if (end < this.count) rest >>= SHIFT;
    }
  }

  /** Raises one digit; the less significant ones become 0. */
  advance(level: number, digit: number): void {
    this.#digits.fill(0, 0, level);
    this.#digits[level] = digit;
  }

  value(): bigint {
    let value = 0n;
    for (let end = this.count; end > 0; ) {
      const start = end - (end % CHUNK || CHUNK);
      let chunk = 0;
      for (let level = end - 1; level >= start; level--) chunk = (chunk << BITS) | this.at(level);
      value = start + CHUNK >= this.count ? BigInt(chunk) : (value << SHIFT) | BigInt(chunk);
      end = start;
    }
    return value;
  }
}
