import { NLA_F_NESTED } from './constants.ts';

/**
 * Encoders of netlink attributes (struct nlattr: length, type, payload, padding to 4 bytes). Numbers are in
 * the host's byte order, which is little endian on every platform tsnet is built for (x64, arm64).
 */
const HEADER = 4;
const MAX_PAYLOAD = 0xffff - HEADER;

export const align = (length: number): number => (length + 3) & ~3;

/**
 * An attribute of raw bytes.
 * @throws RangeError when the payload does not fit the 16-bit length
 */
export function bytes(type: number, payload: Uint8Array): Buffer {
  if (payload.length > MAX_PAYLOAD) throw new RangeError(`netlink attribute ${type} is too long`);
  const buffer = Buffer.alloc(align(HEADER + payload.length));
  buffer.writeUInt16LE(HEADER + payload.length, 0);
  buffer.writeUInt16LE(type, 2);
  buffer.set(payload, HEADER);
  return buffer;
}

export function u8(type: number, value: number): Buffer {
  return bytes(type, Uint8Array.of(value));
}

export function u16(type: number, value: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16LE(value);
  return bytes(type, payload);
}

export function u32(type: number, value: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32LE(value);
  return bytes(type, payload);
}

/**
 * A NUL-terminated string.
 * @throws RangeError when the text itself holds a NUL, which the kernel would take for its end
 */
export function text(type: number, value: string): Buffer {
  if (value.includes('\0')) throw new RangeError(`netlink attribute ${type} holds a NUL character`);
  return bytes(type, Buffer.from(`${value}\0`));
}

/** An attribute made of attributes. The flag is asked for by newer attributes and ignored by older ones. */
export function nested(type: number, ...children: Uint8Array[]): Buffer {
  return bytes(type | NLA_F_NESTED, Buffer.concat(children));
}
