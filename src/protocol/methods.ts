import type { RequestHandler, Response } from 'express';
import type { z } from 'zod';
import type { Log } from '../log.ts';
import { parseBody, readBody } from './body.ts';
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

/** What a method does; its answer, as an object for JSON. */
type Work = (record: CallRecord, body: Buffer) => Promise<object>;

/** The methods of one interface, each at its exact path. */
export class Methods {
  readonly #interface: string;
  readonly #context: CallContext;
  readonly #works = new Map<string, Work>();

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
      const restored = this.#context.ready?.();
      if (restored !== undefined) await untilReady(restored, record.signal);
      return method.handle(request, record);
    });
  }

  /**
   * Answers requests for these methods and passes on the others. One look into a map: express would try the paths one after the
   * other, and each call waits for that.
   */
  readonly router: RequestHandler = (request, response, next) => {
    const { path } = request;
    const work = request.method === 'POST' ? this.#works.get(path) : undefined;
    if (work === undefined) return next();
    const { deadlineMs, log } = this.#context;
    const answer = (outcome: Outcome) => {
      if ('answer' in outcome) answerOk(response, outcome.answer);
      else answerError(response, outcome.error);
    };
    const call = { method: path.slice(1), deadlineMs, log, answer };
    readBody(request, body => void runCall(call, record => work(record, body)), next);
  };

  #add(name: string, work: Work): void {
    this.#works.set(`/${this.#interface}.${name}`, work);
  }
}

/** Status 200 exactly: the engine takes any other for a failure. */
const answerOk = (response: Response, json: string): void => {
  // Without express's send(), which works out a charset, an ETag and whether the client has it already.
  const length = Buffer.byteLength(json);
  response.writeHead(200, { 'content-type': MEDIA_TYPE, 'content-length': length }).end(json);
};
