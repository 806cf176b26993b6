import { type Command, InvalidArgumentError, Option } from 'commander';
import { startDaemon } from '../daemon.ts';
import { createLog, LOG_LEVELS, type LogFormat, type LogLevel } from '../log.ts';
import { DOCKER_SOCKET, PLUGIN_SOCKET } from './defaults.ts';
import { favourEventLoop } from './priority.ts';

interface ServeOptions {
  socket: string;
  state: string;
  dockerSocket: string;
  deadline: number;
  logLevel: LogLevel;
  logFormat: LogFormat;
}

/** `tsnet serve`: the daemon, in the foreground, until SIGTERM or SIGINT. */
export function addServe(program: Command): void {
  program
    .command('serve')
    .description('answer the Docker Engine on a Unix socket, until SIGTERM')
    .option('--socket <path>', 'the plugin socket; its name is the driver name', PLUGIN_SOCKET)
    .option('--state <dir>', 'where networks, endpoints and addresses are kept', '/var/lib/tsnet')
    .option(
      '--docker-socket <path>',
      "the engine's API, asked for names of networks; empty: never",
      DOCKER_SOCKET,
    )
    .option(
      '--deadline <seconds>',
      'when a call is given up; the engine itself waits 30 s',
      parseDeadline,
      25,
    )
    .addOption(
      new Option('--log-level <level>', 'least grave level written').choices(LOG_LEVELS).default('info'),
    )
    .addOption(
      new Option('--log-format <format>', 'how entries are written')
        .choices(['text', 'json'])
        .default('text'),
    )
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  const log = createLog({ level: options.logLevel, format: options.logFormat });
  process.on('unhandledRejection', error =>
    log.error(`unhandled: ${String(error)}`, { stack: (error as Error).stack }),
  );
  await favourEventLoop();
  const daemon = await startDaemon({
    socket: options.socket,
    state: options.state,
    dockerSocket: options.dockerSocket,
    deadlineMs: options.deadline * 1000,
    log,
  });
  const stop = (signal: NodeJS.Signals): void => {
    log.info(`stopping on ${signal}`);
    process.removeAllListeners('SIGTERM').removeAllListeners('SIGINT');
    daemon.close().then(
      () => process.exit(0),
      error => {
        log.error(`stop: ${String(error)}`);
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
}

function parseDeadline(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds < 30))
    throw new InvalidArgumentError('a number of seconds above 0 and below 30.');
  return seconds;
}
