import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { TsnetError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type Admin, adminRouter } from './admin-router.ts';
import { answerError } from './error-answer.ts';
import { ipamRouter } from './ipam-router.ts';
import { type CallContext, Methods } from './methods.ts';
import { networkRouter } from './network-router.ts';
import type { Ready } from './readiness.ts';
import { toTsnetError } from './to-tsnet-error.ts';
import type { IpamDriver, NetworkDriver } from './types.ts';

/** Below the 30 s after which the engine gives a managed plugin up. */
export const DEFAULT_DEADLINE_MS = 25_000;

export interface AppOptions {
  readonly driver: NetworkDriver;
  readonly ipam: IpamDriver;
  readonly admin: Admin;
  readonly log: Log;
  /** Milliseconds that a call may take, the wait for readiness included; 25,000 by default. */
  readonly deadlineMs?: number;
  /** What calls with arguments wait for; absent: nothing. */
  readonly ready?: Ready;
}

/**
 * The plugin's HTTP interface: POST on the exact path of a method, JSON in and out, every failure an error of the
 * table (docs.docker.com/engine/extend/plugin_api, moby daemon/libnetwork/drivers/remote and ipams/remote).
 */
export const createApp = (options: AppOptions): Express => {
  const context: CallContext = {
    log: options.log,
    deadlineMs: options.deadlineMs ?? DEFAULT_DEADLINE_MS,
    ready: options.ready,
  };
  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.use(networkRouter(options.driver, context), ipamRouter(options.ipam, context));
  app.use(pluginRouter(context), adminRouter(options.admin, context));
  app.use(unknownMethod, onError(options.log));
  return app;
};

const pluginRouter = (context: CallContext) => {
  const methods = new Methods('Plugin', context);
  methods.bare('Activate', () => ({ Implements: ['NetworkDriver', 'IpamDriver'] }));
  return methods.router;
};

const unknownMethod: RequestHandler = request => {
  throw new TsnetError(
    'METHOD_UNKNOWN',
    `${request.method} ${request.path.slice(0, 128)} is no method of tsnet`,
  );
};

/** What fails outside of a call: unknown methods and bodies that cannot be read. */
const onError =
  (log: Log): ErrorRequestHandler =>
  (thrown, request, response, _next) => {
    const error = toTsnetError(thrown);
    const level = error.code === 'INTERNAL' ? 'error' : 'warn';
    const stack = level === 'error' && thrown instanceof Error ? thrown.stack : undefined;
    log.log(level, request.path.slice(1, 128), { outcome: error.code, error: error.message, stack });
    answerError(response, error);
  };
