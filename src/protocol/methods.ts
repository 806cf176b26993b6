import { type RequestHandler, type Response, Router } from 'express';
import type { z } from 'zod';
import type { Log } from '../log.ts';
import { parseBody } from './body.ts';
import type { CallRecord } from './call-record.ts';
import { answerError, MEDIA_TYPE } from './error-answer.ts';
import { type Ready, untilReady } from './readiness.ts';
import { type Outcome, runCall } from './run-call.ts';
import { decode } from './schemas/decode.ts';
import type { Call } from './types.ts';

/** What every method of both interfaces runs with. */
export interface CallContext {
  readonly log: Log;
  /** Milliseconds that a call may take. */
  readonly deadlineMs: number;
  /** Absent: the daemon is ready from the start. */
  readonly ready: Ready | undefined;
}

/** How a method answers that has a body. */
interface Method<S extends z.ZodType> {
  readonly schema: S;
  /** Names the object for the log until the driver names it better. */
  readonly about: (request: z.output<S>) => string;
  readonly handle: (request: z.output<S>, call: Call) => Promise<object> | object;
}

/** The methods of one interface, each at its exact path. */
export class Methods {
  readonly router = Router({ caseSensitive: true, strict: true });
  readonly #interface: string;
  readonly #context: CallContext;

  /** @param name the interface's: `NetworkDriver`, `IpamDriver` or `Plugin` */
  constructor(name: string, context: CallContext) {
    this.#interface = name;
    this.#context = context;
  }

  /** A method without arguments; it answers at once, also while the daemon restores. */
  bare(name: string, answer: (call: Call) => object): void {
    this.#add(name, async record => answer(record));
  }

  /** A method with arguments: decoded before anything else, then run once the daemon is ready. */
  with<S extends z.ZodType>(name: string, method: Method<S>): void {
    this.#add(name, async (record, body) => {
      const request = decode(method.schema, parseBody(body));
      record.asked(request);
      record.about(method.about(request));
      await untilReady(this.#context.ready, record.signal);
      return method.handle(request, record);
    });
  }

  #add(name: string, work: (record: CallRecord, body: unknown) => Promise<object>): void {
    const method = `${this.#interface}.${name}`;
    const handler: RequestHandler = async (request, response) => {
      const { deadlineMs, log } = this.#context;
      const answer = (outcome: Outcome) => {
        if ('answer' in outcome) answerOk(response, outcome.answer);
        else answerError(response, outcome.error);
      };
      await runCall({ method, deadlineMs, log, answer }, record => work(record, request.body));
    };
    this.router.post(`/${method}`, handler);
  }
}

/** Status 200 exactly: the engine takes any other for a failure. */
const answerOk = (response: Response, json: string): void => {
  // Without express's send(), which works out a charset, an ETag and whether the client has it already.
  const body = Buffer.from(json);
  response.writeHead(200, { 'content-type': MEDIA_TYPE, 'content-length': body.length }).end(body);
};
