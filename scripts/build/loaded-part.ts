/**
 * An ELF executable (64 bit, little-endian) without what is never loaded: debug sections, the symbol table and the headers of
 * sections, which are the last seventh of Node's. `strip` does the same, but not every machine has it. See elf(5).
 * @returns a copy, up to the end of the last segment
 */
export function loadedPart(elf: Buffer): Buffer {
  const [at, size, count] = [Number(elf.readBigUInt64LE(32)), elf.readUInt16LE(54), elf.readUInt16LE(56)];
  const ends = Array.from({ length: count }, (_, k) => {
    const header = at + k * size;
    const [offset, length] = [elf.readBigUInt64LE(header + 8), elf.readBigUInt64LE(header + 32)];
    return Number(offset + length);
  });
  const part = Buffer.from(elf.subarray(0, Math.max(at + count * size, ...ends)));
  part.writeBigUInt64LE(0n, 40); // e_shoff
  part.writeUInt32LE(0, 60); // e_shnum, e_shstrndx
  return part;
}
