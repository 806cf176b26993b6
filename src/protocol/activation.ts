import { fstatSync } from 'node:fs';
import { TsnetError } from '../errors.ts';

/** `SD_LISTEN_FDS_START`: the first file descriptor that systemd passes. */
const FIRST_FD = 3;
const VARIABLES = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES'] as const;

/**
 * The listening socket that systemd opened for this process (sd_listen_fds(3)). The variables are removed, so that
 * no child takes them for its own.
 * @param env the environment, changed in place
 * @returns the file descriptor, or nothing when the process was not started by a socket unit
 * @throws TsnetError SOCKET_PATH when what was passed is not one socket
 */
export const takeActivationFd = (env: NodeJS.ProcessEnv = process.env): number | undefined => {
  const count = isActivated(env) ? Number(env['LISTEN_FDS']) : 0;
  for (const name of VARIABLES) delete env[name];
  if (count === 0) return undefined;
  const remedy = 'Give the socket unit one ListenStream= with the path of the plugin socket.';
  if (count !== 1)
    throw new TsnetError('SOCKET_PATH', `systemd passed ${count} sockets instead of one`, { remedy });
  if (!isSocket(FIRST_FD)) {
    throw new TsnetError('SOCKET_PATH', 'what systemd passed is no socket', { remedy });
  }
  return FIRST_FD;
};

/** Whether a socket unit has started this process, as long as nothing has been taken yet. */
export const isActivated = ({ LISTEN_PID, LISTEN_FDS }: NodeJS.ProcessEnv = process.env): boolean =>
  Number(LISTEN_PID) === process.pid && Number(LISTEN_FDS ?? 0) > 0;

const isSocket = (fd: number): boolean => {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
};
