import { align } from './attribute-writer.ts';
import { NLA_TYPE_MASK } from './constants.ts';

/**
 * The attributes of a message or of a nested attribute. Reading stops at the first malformed one and getters
 * answer undefined for what is missing or too short, so no input makes it throw or loop. Where a type comes
 * twice the last one counts, as in the kernel's own nla_parse().
 */
export class Attributes {
  readonly #values = new Map<number, Buffer>();

  constructor(buffer: Buffer, start = 0) {
    let offset = start;
    while (offset + 4 <= buffer.length) {
      const length = buffer.readUInt16LE(offset);
      if (length < 4 || offset + length > buffer.length) return;
      const type = buffer.readUInt16LE(offset + 2) & NLA_TYPE_MASK;
      this.#values.set(type, buffer.subarray(offset + 4, offset + length));
      offset += align(length);
    }
  }

  types(): number[] {
    return [...this.#values.keys()];
  }

  bytes(type: number): Buffer | undefined {
    return this.#values.get(type);
  }

  u8(type: number): number | undefined {
    const value = this.#values.get(type);
    return value && value.length >= 1 ? value.readUInt8() : undefined;
  }

  u16(type: number): number | undefined {
    const value = this.#values.get(type);
    return value && value.length >= 2 ? value.readUInt16LE() : undefined;
  }

  u32(type: number): number | undefined {
    const value = this.#values.get(type);
    return value && value.length >= 4 ? value.readUInt32LE() : undefined;
  }

  /** Text up to the first NUL or the attribute's end. */
  text(type: number): string | undefined {
    const value = this.#values.get(type);
    if (!value) return undefined;
    const end = value.indexOf(0);
    return value.toString('utf8', 0, end < 0 ? value.length : end);
  }

  nested(type: number): Attributes | undefined {
    const value = this.#values.get(type);
    return value && new Attributes(value);
  }
}
