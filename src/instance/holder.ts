import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { connectAbstract } from './abstract-socket.ts';
import { Identity } from './identity.ts';
import { PLACE } from './place.ts';

/** Milliseconds for a holder to say who it is. */
const PATIENCE = 1000;
const MOST_WORDS = 1024;

export interface Holder {
  /** Undefined when it did not say. */
  readonly identity: Identity | undefined;
  /** Resolves when it has ended or given the place up, never rejects. */
  readonly gone: Promise<void>;
  /** Stops to wait for that. */
  forget(): void;
}

/**
 * Asks whoever has the place who it is.
 * @returns 'nobody' when it is free by now, or its holder does not take the connection; 'stranger' when a user without rights has bound its name, which anyone can
 */
export async function meetHolder(): Promise<Holder | 'nobody' | 'stranger'> {
  const peer = connectAbstract(PLACE);
  if (peer === undefined || peer === 'busy') return 'nobody';
  if (peer.uid !== 0 && peer.uid !== process.geteuid?.()) {
    closeSync(peer.fd);
    return 'stranger';
  }
  const socket = new Socket({ fd: peer.fd, readable: true, writable: true });
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  socket.on('error', () => undefined).on('close', () => resolve());
  const words = await firstLine(socket);
  // It was just ending, or too many wait for it already.
  if (words === '' && socket.destroyed) return 'nobody';
  socket.resume().unref();
  return { identity: parse(words), gone, forget: () => void socket.destroy() };
}

/** What comes before the line's end, the connection's, or the end of patience. */
function firstLine(socket: Socket): Promise<string> {
  return new Promise(resolve => {
    let text = '';
    const done = () => {
      clearTimeout(timer);
      socket.off('data', read).off('close', done);
      resolve(text);
    };
    const read = (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n') || text.length > MOST_WORDS) done();
    };
    const timer = setTimeout(done, PATIENCE);
    socket.on('data', read).on('close', done);
  });
}

function parse(words: string): Identity | undefined {
  try {
    return Identity.parse(JSON.parse(words));
  } catch {
    return undefined;
  }
}
