import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Daemon, startDaemon } from '../daemon.ts';
import { shareArenas } from '../kernel/memory.ts';
import { writeSysctlsBelow } from '../kernel/sysctl.ts';
import { createLog, LOG_LEVELS, type LogFormat, type LogLevel } from '../log.ts';
import { VERSION } from '../version.ts';
import { DOCKER_SOCKET, PLUGIN_SOCKET } from './defaults.ts';
import { dropUnusable } from './environment.ts';
import { favourEventLoop } from './priority.ts';

interface ServeOptions {
  socket: string;
  state: string;
  dockerSocket: string;
  orphanGrace: number;
  deadline: number;
  managed?: string;
  logLevel: LogLevel;
  logFormat: LogFormat;
}

/** Where a managed plugin has the kernel parameters that it may write: its own /proc/sys is read-only. */
const PLUGIN_SYSCTLS = '/host/proc/sys';

/**
 * `tsnet serve`: the daemon, in the foreground, until SIGTERM or SIGINT.
 * @param env where settings are taken from; unusable ones are removed from it
 */
export function addServe(program: Command, env: NodeJS.ProcessEnv = process.env): void {
  const settings = [
    new Option('--socket <path>', 'the plugin socket; its name is the driver name')
      .env('TSNET_SOCKET')
      .default(PLUGIN_SOCKET),
    new Option('--state <dir>', 'where networks, endpoints and addresses are kept')
      .env('TSNET_STATE')
      .default('/var/lib/tsnet'),
    new Option(
      '--docker-socket <path>',
      "the engine's API, asked for names of networks and for what it has forgotten; empty: never",
    )
      .env('TSNET_DOCKER_SOCKET')
      .default(DOCKER_SOCKET),
    new Option(
      '--orphan-grace <seconds>',
      'how long what the engine does not know is reported before it is removed; never: it is only reported',
    )
      .env('TSNET_ORPHAN_GRACE')
      .argParser(parseGrace)
      .default(30),
    new Option('--deadline <seconds>', 'when a call is given up; the engine itself waits 30 s')
      .env('TSNET_DEADLINE')
      .argParser(parseDeadline)
      .default(25),
    new Option('--log-level <level>', 'least grave level written')
      .env('TSNET_LOG_LEVEL')
      .choices(LOG_LEVELS)
      .default('info'),
    new Option('--log-format <format>', 'how entries are written')
      .env('TSNET_LOG_FORMAT')
      .choices(['text', 'json'])
      .default('text'),
  ];
  const unusable = dropUnusable(settings, env);
  const command = program
    .command('serve')
    .description('answer the Docker Engine on a Unix socket, until SIGTERM')
    .option(
      '--managed <dir>',
      "be a managed plugin, which has the host's /run/docker there: never end by itself, and lay the plain driver name",
    );
  for (const setting of settings) command.addOption(setting);
  command.action((options: ServeOptions) => serve(options, unusable));
}

async function serve(options: ServeOptions, warnings: readonly string[]): Promise<void> {
  const log = createLog({ level: options.logLevel, format: options.logFormat });
  log.info('tsnet', { version: VERSION });
  for (const warning of warnings) log.warn(warning);
  process.on('unhandledRejection', error =>
    log.error(`unhandled: ${String(error)}`, { stack: (error as Error).stack }),
  );
  let daemon: Daemon | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    log.info(`stopping on ${signal}`);
    process.removeAllListeners('SIGTERM').removeAllListeners('SIGINT');
    Promise.resolve(daemon?.close()).then(
      () => process.exit(0),
      error => {
        log.error(`stop: ${String(error)}`);
        process.exit(1);
      },
    );
  };
  // At once: process 1 of a container, as a managed plugin is, has no other end than SIGKILL without a handler.
  process.once('SIGTERM', stop).once('SIGINT', stop);
  shareArenas();
  await favourEventLoop();
  const { managed } = options;
  if (managed !== undefined && existsSync(join(PLUGIN_SYSCTLS, 'net'))) writeSysctlsBelow(PLUGIN_SYSCTLS);
  daemon = await startDaemon({
    socket: options.socket,
    state: options.state,
    dockerSocket: options.dockerSocket,
    orphanGraceMs: options.orphanGrace * 1000,
    deadlineMs: options.deadline * 1000,
    ...(managed === undefined ? {} : { managed }),
    log,
  });
}

function parseDeadline(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds < 30))
    throw new InvalidArgumentError('a number of seconds above 0 and below 30.');
  return seconds;
}

function parseGrace(text: string): number {
  if (text === 'never') return Infinity;
  const seconds = Number(text);
  if (!(seconds >= 1 && seconds <= 86_400))
    throw new InvalidArgumentError('a number of seconds from 1 to 86400, or never.');
  return seconds;
}
