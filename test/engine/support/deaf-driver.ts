import { join } from 'node:path';
import type { TsnetHost } from './tsnet-host.ts';

const SOCKET = '/run/docker/plugins/tsnet.sock';

/** Says yes to everything on the plugin socket. */
const YES = `
  const { rmSync } = require('node:fs');
  rmSync('${SOCKET}', { force: true });
  require('node:http').createServer((request, response) => {
    request.resume().on('end', () => response.end('{}'));
  }).listen('${SOCKET}', () => console.log('yes'));
`;

/**
 * Kills the daemon and does something with the engine meanwhile, whose calls succeed and which nobody hears: what an engine forgets by
 * a crash it forgets in the same way, and calls that found nobody at all take it 15 s each. The daemon is left dead.
 */
export async function unheard(host: TsnetHost, action: () => Promise<unknown>): Promise<void> {
  await host.stop('KILL');
  const driver = await host.host.spawn('node', ['-e', YES], { log: join(host.host.dir, 'deaf-driver.log') });
  try {
    await driver.waitForOutput('yes');
    await action();
  } finally {
    await driver.stop('SIGKILL');
  }
}
