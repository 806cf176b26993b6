import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { ERRORS, type ErrorCode, TsnetError } from '../../src/errors.ts';
import { ENDPOINT, NETWORK, setUp } from './fake.ts';

const ref = { networkId: NETWORK, endpointId: ENDPOINT };
const body = JSON.stringify({ NetworkID: NETWORK, EndpointID: ENDPOINT });
const leave = (app: Parameters<typeof request>[0]) => request(app).post('/NetworkDriver.Leave').send(body);

describe('errors', () => {
  it.each(Object.keys(ERRORS) as ErrorCode[])('%s has both keys, and never status 404', async code => {
    const { app, drivers } = setUp();
    drivers.behaviour['leave'] = () => {
      throw new TsnetError(code, 'endpoint web');
    };
    const response = await leave(app);
    expect(response.status).toBeGreaterThanOrEqual(400);
    if (code !== 'METHOD_UNKNOWN') expect(response.status).not.toBe(404);
    const text = `${code}: endpoint web. ${ERRORS[code].remedy}`;
    expect(response.body).toEqual({ Err: text, Error: text });
  });

  it('are defects when they are not of the table, and logged with their stack', async () => {
    const { app, drivers, probe } = setUp();
    drivers.behaviour['leave'] = () => {
      throw new RangeError('out of cheese');
    };
    const response = await leave(app);
    expect(response.status).toBe(500);
    expect(response.body.Err).toMatch(/^INTERNAL: out of cheese\. /);
    expect(probe.entries).toEqual([
      expect.objectContaining({
        level: 'error',
        message: 'NetworkDriver.Leave',
        outcome: 'INTERNAL',
        stack: expect.stringMatching(/^RangeError: out of cheese\n +at /),
      }),
    ]);
  });

  it.each([undefined, null, 'text', 7, {}])('are defects when %j is thrown', async thrown => {
    const { app, drivers } = setUp();
    drivers.behaviour['leave'] = () => Promise.reject(thrown);
    expect((await leave(app)).body.Err).toMatch(/^INTERNAL: /);
  });

  it('are defects when the answer cannot be written as JSON', async () => {
    const { app, drivers } = setUp();
    drivers.behaviour['operInfo'] = () => ({ big: 1n });
    const response = await request(app).post('/NetworkDriver.EndpointOperInfo').send(body);
    expect(response.body.Err).toMatch(/^INTERNAL: /);
  });
});

describe('the log', () => {
  it('has one entry a call, with what was asked and changed', async () => {
    const { app, drivers, probe } = setUp();
    drivers.behaviour['program'] = call => {
      call.about('endpoint web');
      call.changed('link ts1 added');
      call.changed('route added');
      call.warn('no IPv6 here');
    };
    const ports = [{ Proto: 17, Port: 90, HostIP: '', HostPort: 9000, HostPortEnd: 9001 }];
    await request(app)
      .post('/NetworkDriver.ProgramExternalConnectivity')
      .send(JSON.stringify({ ...JSON.parse(body), Options: { 'com.docker.network.portmap': ports } }));
    expect(probe.entries).toEqual([
      {
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        level: 'warn',
        message: 'NetworkDriver.ProgramExternalConnectivity',
        outcome: 'ok',
        ms: expect.any(Number),
        object: 'endpoint web',
        asked: {
          networkId: NETWORK.slice(0, 12),
          endpointId: ENDPOINT.slice(0, 12),
          ports: ['*:9000-9001->90/udp'],
        },
        changed: ['link ts1 added', 'route added'],
        warnings: ['no IPv6 here'],
      },
    ]);
  });

  it('names the object of the request until the driver does', async () => {
    const { app, probe } = setUp();
    await leave(app);
    const name = `endpoint ${ENDPOINT.slice(0, 12)} of network ${NETWORK.slice(0, 12)}`;
    expect(probe.entries).toEqual([expect.objectContaining({ level: 'info', object: name })]);
  });

  it('has an entry for what was no call', async () => {
    const { app, probe } = setUp();
    await request(app).post('/NetworkDriver.Nothing').send('{}');
    expect(probe.entries).toEqual([expect.objectContaining({ level: 'warn', outcome: 'METHOD_UNKNOWN' })]);
  });
});

describe('the deadline', () => {
  it('answers for a handler that hangs, tells it, and logs how it ends', async () => {
    const { app, drivers, probe } = setUp({ deadlineMs: 30 });
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    drivers.behaviour['leave'] = async call => {
      await gate;
      expect(call.signal.aborted).toBe(true);
      call.changed('late work');
    };
    const response = await leave(app);
    expect(response.status).toBe(500);
    expect(response.body.Err).toMatch(/^DEADLINE: NetworkDriver.Leave was not finished within 30 ms/);
    expect(probe.entries).toHaveLength(1);
    open();
    const late = await probe.entry(entry => entry.message === 'NetworkDriver.Leave ended after its deadline');
    expect(late).toMatchObject({ level: 'warn', outcome: 'ok', changed: ['late work'] });
  });

  it('logs the error of a handler that fails late', async () => {
    const { app, drivers, probe } = setUp({ deadlineMs: 30 });
    const { promise: gate, reject: fail } = Promise.withResolvers<void>();
    drivers.behaviour['leave'] = () => gate;
    await leave(app);
    fail(new TsnetError('KERNEL', 'link ts1'));
    const late = await probe.entry(entry => entry.message.endsWith('after its deadline'));
    expect(late).toMatchObject({ outcome: 'KERNEL', error: expect.stringContaining('link ts1') });
  });

  it('takes the error of a handler that heeds the signal at once', async () => {
    const { app, drivers, probe } = setUp({ deadlineMs: 30 });
    drivers.behaviour['leave'] = call =>
      new Promise((_, reject) => call.signal.addEventListener('abort', () => reject(call.signal.reason)));
    const response = await leave(app);
    expect(response.body.Err).toMatch(/^DEADLINE: /);
    expect(probe.entries).toHaveLength(1);
  });

  it('never fires the signal of a call that ended in time', async () => {
    const { app, drivers } = setUp({ deadlineMs: 30 });
    const signals: AbortSignal[] = [];
    drivers.behaviour['leave'] = call => void signals.push(call.signal);
    await leave(app);
    drivers.behaviour['leave'] = () => new Promise(() => undefined);
    // The second call's own deadline is later than the first one's would have been.
    await leave(app);
    expect(signals.map(signal => signal.aborted)).toEqual([false]);
  });
});

describe('readiness', () => {
  it('lets calls wait, and answers at once what asks nothing of the host', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { app, drivers } = setUp({ ready: () => promise });
    const waiting = leave(app).then(response => response.status);
    for (const path of [
      '/Plugin.Activate',
      '/NetworkDriver.GetCapabilities',
      '/IpamDriver.GetCapabilities',
      '/IpamDriver.GetDefaultAddressSpaces',
    ]) {
      expect((await request(app).post(path)).status).toBe(200);
    }
    const registered = { name: 'registered', args: [] };
    expect(drivers.calls).toEqual([registered, registered]);
    resolve();
    expect(await waiting).toBe(200);
    expect(drivers.calls.at(-1)).toEqual({ name: 'leave', args: [ref] });
  });

  it('refuses with STARTING at the deadline, and never runs the call later', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { app, drivers } = setUp({ ready: () => promise, deadlineMs: 30 });
    const response = await leave(app);
    expect([response.status, response.body.Err]).toEqual([503, expect.stringMatching(/^STARTING: /)]);
    resolve();
    await promise;
    await request(app).post('/Plugin.Activate');
    expect(drivers.calls).toEqual([]);
  });

  it('refuses a wrong request without waiting', async () => {
    const { app } = setUp({ ready: () => new Promise(() => undefined) });
    const response = await request(app).post('/NetworkDriver.Leave').send('{}');
    expect(response.body.Err).toMatch(/^BODY_INVALID: /);
  });

  it('answers what the restore failed with', async () => {
    const { app } = setUp({ ready: () => Promise.reject(new TsnetError('STATE_CORRUPT', 'state.db')) });
    expect((await leave(app)).body.Err).toMatch(/^STATE_CORRUPT: state\.db/);
  });

  it('asks a function anew at each call', async () => {
    const answers: (() => Promise<void> | undefined)[] = [
      () => Promise.reject(new TsnetError('STATE_UNWRITABLE', '/state')),
      () => undefined,
    ];
    const { app } = setUp({ ready: () => answers.shift()?.() });
    expect((await leave(app)).status).toBe(500);
    expect((await leave(app)).status).toBe(200);
  });
});
