import { type Command, Option } from 'commander';
import { viewEngine } from '../engine/client.ts';
import { TsnetError } from '../errors.ts';
import { describeIdentity } from '../instance/identity.ts';
import { describeRemains, Host, type Remains } from '../purge/host.ts';
import { keepDaemonsOff, lockState, servingPlugin } from '../purge/no-daemon.ts';
import { NOTHING_SAVED, readSaved, type Saved } from '../purge/saved.ts';
import { hasState, removeState } from '../purge/state-files.ts';
import { DOCKER_SOCKET, PLUGIN_SOCKET, STATE_DIRECTORY } from './defaults.ts';
import { existingText } from './purge-text.ts';

interface PurgeOptions {
  force?: boolean;
  dryRun?: boolean;
  keepState?: boolean;
  state: string;
  socket: string;
  dockerSocket: string;
}

/** `tsnet purge`: removes everything of tsnet's from the host, ahead of uninstalling it. */
export function addPurge(program: Command): void {
  program
    .command('purge')
    .description('remove all that tsnet has made on this host; refused while networks exist')
    .option('--force', 'also with networks, whose containers lose them, and with a state that cannot be read')
    .option('--dry-run', 'only say what would be removed, or why it is refused; a daemon may be running')
    .option('--keep-state', 'leave the state directory as it is')
    .addOption(new Option('--state <dir>', 'the state directory').env('TSNET_STATE').default(STATE_DIRECTORY))
    .addOption(
      new Option('--socket <path>', 'the plugin socket of the daemon')
        .env('TSNET_SOCKET')
        .default(PLUGIN_SOCKET),
    )
    .addOption(
      new Option('--docker-socket <path>', "the engine's API, asked for names of networks; empty: never")
        .env('TSNET_DOCKER_SOCKET')
        .default(DOCKER_SOCKET),
    )
    .addHelpText('after', HELP)
    .action(purge);
}

const HELP = `
Removed are links, addresses and routes with tsnet's mark, the table inet tsnet,
the rule in DOCKER-USER, and the state directory. Kernel parameters stay as they
are. The daemon must not be running: it would put everything back.`;

/** @throws TsnetError INSTANCE_RUNNING, STATE_IN_USE, SOCKET_IN_USE, STATE_* without --force */
async function purge(options: PurgeOptions): Promise<void> {
  const { force = false, dryRun = false, keepState = false, state } = options;
  // Ahead of all else, so that who has networks is told of them and not first to stop the daemon.
  const before = read(state, force);
  if (!force && (await refused(before, options))) return;
  // Ahead of the lock, which is a file beside it.
  const states = keepState || !hasState(state) ? [] : [`the state in ${state}`];
  const plugin = force ? undefined : await servingPlugin();
  if (plugin !== undefined) {
    process.stdout.write(`${describeIdentity(plugin)} serves this host: its links and rules stay\n`);
    using _lock = dryRun ? undefined : lockState(state);
    if (!dryRun && !keepState) removeState(state);
    if (states.length > 0) print(dryRun, states);
    return;
  }
  using _kept = dryRun ? undefined : await keepDaemonsOff(state, options.socket);
  await using host = new Host();
  const saved = dryRun ? before : read(state, force);
  const remains = await host.look(saved);
  if (!force && ((await refused(saved, options)) || strangers(remains))) return;
  const removed = dryRun ? describeRemains(remains) : await host.remove(remains);
  if (!dryRun && !keepState) removeState(state);
  print(dryRun, [...removed, ...states]);
  if (saved.networks.length > 0 && !dryRun) process.stdout.write(LEFT_TO_ENGINE);
}

const LEFT_TO_ENGINE =
  'The engine still lists the networks: docker network rm removes them there, after a wait of 15 s for tsnet.\n';

function read(directory: string, force: boolean): Saved {
  try {
    return readSaved(directory);
  } catch (error) {
    if (!force || !(error instanceof TsnetError)) throw error;
    process.stderr.write(`tsnet: ${error.what}: going by the marks on the host alone\n`);
    return NOTHING_SAVED;
  }
}

/** Says which networks exist, if any; those that are only about to be removed do not count. */
async function refused(saved: Saved, { dockerSocket }: PurgeOptions): Promise<boolean> {
  const networks = saved.networks.filter(({ lifecycle }) => lifecycle === 'live');
  if (networks.length === 0) return false;
  const names = await namesOf(dockerSocket);
  process.stderr.write(`${existingText({ ...saved, networks }, names)}\n`);
  process.exitCode = 1;
  return true;
}

/** Names by id of what the engine has; undefined where it cannot be asked. */
async function namesOf(dockerSocket: string): Promise<ReadonlyMap<string, string> | undefined> {
  if (dockerSocket === '') return undefined;
  const view = await viewEngine(dockerSocket).catch(() => undefined);
  return view && new Map(view.networks.map(({ id, name }) => [id, name]));
}

function strangers({ strangers: links }: Remains): boolean {
  if (links.length === 0) return false;
  process.stderr.write(
    `tsnet: nothing is removed: the links ${links.join(', ')} are of networks that are not in this state. ` +
      'They may belong to a managed plugin, or its state was lost; tsnet purge --force removes them.\n',
  );
  process.exitCode = 1;
  return true;
}

function print(dryRun: boolean, lines: readonly string[]): void {
  const what = dryRun ? 'would remove' : 'removed';
  process.stdout.write(
    lines.length === 0 ? 'nothing of tsnet is here\n' : lines.map(line => `${what} ${line}\n`).join(''),
  );
}
