import { dirname, join } from 'node:path';
import type { Fault } from '../world/types.ts';

const program = (name: string): string => join(import.meta.dirname, 'programs', name);

/**
 * Something stands between the engine and tsnet that does not pass requests on as it should: see programs/troubled-line.ts. For
 * its time, tsnet listens on another socket; it is killed and started at both ends, so that the engine connects anew.
 */
const troubledLine = (kind: string, how: string): Fault => ({
  kind,
  strike: async ({ host, daemon }) => {
    const behind = join(dirname(daemon.socket), '../tsnet-behind.sock');
    await daemon.kill();
    await host.exec('rm', ['-f', daemon.socket]);
    await daemon.start({ TSNET_SOCKET: behind });
    const line = await host.spawn('node', [program('troubled-line.ts'), how, daemon.socket, behind]);
    await line.waitForOutput('listening');
    return async () => {
      await daemon.kill();
      await line.stop('SIGKILL');
      await host.exec('rm', ['-f', daemon.socket, behind]);
      await daemon.start();
    };
  },
});

export const requestsRepeated = troubledLine('requests-repeated', 'repeat');
export const requestsCut = troubledLine('requests-cut', 'cut-request');
export const answersCut = troubledLine('answers-cut', 'cut-answer');

const CLIENTS = 90;

/** Clients connect and say nothing, or break off in the middle and stay. */
export const silentClients: Fault = {
  kind: 'silent-clients',
  strike: async ({ host, daemon }) => {
    const clients = await host.spawn('node', [program('silent-clients.ts'), daemon.socket, String(CLIENTS)]);
    await clients.waitForOutput('connected');
    return async () => {
      await clients.stop('SIGKILL');
    };
  },
};

export const REQUEST_FAULTS: readonly Fault[] = [requestsRepeated, requestsCut, answersCut, silentClients];
