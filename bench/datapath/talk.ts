/** What a connection is for, the first byte that its client sends. */
export const Talk = {
  /** Bytes to be counted until the client's end; the count comes back, 8 bytes, little endian. */
  stream: 's'.charCodeAt(0),
  /** Messages to be sent back, until the client's end. */
  echo: 'e'.charCodeAt(0),
  /** One message to be sent back, and the server's end. */
  once: 'o'.charCodeAt(0),
} as const;

/** Bytes of one write and of one read of a stream: what iperf3 uses. */
export const CHUNK = 128 * 1024;

/** Bytes of a request, and of its answer: less than one packet. */
export const MESSAGE = 16;
