import type { Command } from 'commander';
import type { DaemonStatus } from '../protocol/admin-router.ts';
import { askStatus } from './ask-daemon.ts';
import { PLUGIN_SOCKET } from './defaults.ts';

interface StatusOptions {
  socket: string;
  json?: true;
}

/** `tsnet status`: whether the daemon answers, and what it has done since it started. */
export function addStatus(program: Command): void {
  program
    .command('status')
    .description('say how the daemon is, and who has put interfaces into containers since it started')
    .option('--json', 'an object instead of text')
    .option('--socket <path>', 'the plugin socket of the daemon', PLUGIN_SOCKET)
    .action(showStatus);
}

/** @throws TsnetError DAEMON */
async function showStatus({ socket, json }: StatusOptions): Promise<void> {
  const status = await askStatus(socket);
  process.stdout.write(`${json === true ? JSON.stringify(status, undefined, 2) : statusText(status)}\n`);
}

/** A status in words, a line each. */
export function statusText({
  networks,
  endpoints,
  attached,
  orphans,
  collected,
  store,
}: DaemonStatus): string {
  const { byEngine, inside, unopened } = attached;
  return [
    `networks    ${networks}`,
    `endpoints   ${endpoints}`,
    `attached    ${inside} by tsnet inside the container, ${byEngine} by the engine, since the daemon started`,
    `unopened    ${unopened} of them, for tsnet cannot look into the sandbox (or it was not there yet: engines up to 27)`,
    `orphans     ${orphans.length} unknown to the engine, ${collected} removed since the daemon started`,
    ...orphans.map(orphan => `            ${orphan.name}: ${fateOf(orphan)}`),
    `state       ${store.problem ?? 'can be read and written'}`,
    ...store.damaged.map(
      file => `            was damaged and is restored; the damaged file is kept: ${file}`,
    ),
  ].join('\n');
}

function fateOf({ since, removedIn, kept }: DaemonStatus['orphans'][number]): string {
  if (kept !== undefined) return `for ${since} s, kept: ${kept}`;
  return removedIn === undefined
    ? `for ${since} s, kept: nothing is removed`
    : `for ${since} s, removed in ${removedIn} s`;
}
