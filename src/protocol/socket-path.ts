import { lstat, mkdir, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { TsnetError } from '../errors.ts';

/** `sun_path` of unix(7) with its final zero; a longer path would be cut. */
const MAX_PATH_BYTES = 107;

/**
 * Makes the path free for a socket to be bound: its folder exists, and a socket that nobody listens on is gone.
 * Two daemons that do this at once are kept apart by the lock of the state directory, not here.
 * @throws TsnetError SOCKET_IN_USE when somebody answers, SOCKET_PATH when something is there that is no socket; it is left alone
 */
export const freeSocketPath = async (path: string): Promise<void> => {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new TsnetError('SOCKET_PATH', `${path} is longer than ${MAX_PATH_BYTES} bytes`, {
      remedy: 'Name a shorter path with --socket.',
    });
  }
  await mkdir(dirname(path), { recursive: true });
  const found = await lstat(path).catch(ignoreMissing);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new TsnetError('SOCKET_PATH', `${path} is there and is no socket`, {
      remedy: 'Move it away, or name another path with --socket.',
    });
  }
  if (await answers(path)) throw new TsnetError('SOCKET_IN_USE', `another process answers on ${path}`);
  await unlink(path).catch(ignoreMissing);
};

/** For `catch`: undefined stands for what is not there. @throws every other error */
export const ignoreMissing = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== 'ENOENT') throw error;
};

/**
 * Whether somebody listens on a socket. Only a refused connection says that nobody does; a full backlog (EAGAIN) says the
 * opposite.
 */
export const answers = (path: string): Promise<boolean> =>
  new Promise(resolve => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
