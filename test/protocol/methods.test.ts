import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { setUp } from './fake.ts';
import { BARE, SAMPLES } from './samples.ts';

describe('requests as engines send them', () => {
  it.each(SAMPLES)('$name', async sample => {
    const { app, drivers, probe } = setUp();
    const answer = await request(app)
      .post(sample.path)
      .set('Accept', 'application/vnd.docker.plugins.v1.2+json')
      .set('Content-Type', '')
      .send(JSON.stringify(sample.body));
    expect(answer.body).toEqual(sample.answer);
    expect(answer.status).toBe(200);
    const expected =
      sample.driverMethod === undefined ? [] : [{ name: sample.driverMethod, args: sample.decoded }];
    // toStrictEqual: an absent field is absent, not undefined.
    expect(drivers.calls).toStrictEqual(expected);
    const [entry, ...more] = probe.entries;
    expect(entry).toMatchObject({ level: 'info', message: sample.path.slice(1), outcome: 'ok' });
    expect(more).toEqual([]);
  });

  it.each(BARE)('$path', async ({ path, answer }) => {
    const { app } = setUp();
    const response = await request(app).post(path).set('Content-Length', '0');
    expect(response.status).toBe(200);
    expect(response.body).toEqual(answer);
  });

  it('tells the IPAM driver of each registration', async () => {
    const { app, drivers } = setUp();
    await request(app).post('/IpamDriver.GetDefaultAddressSpaces');
    expect(drivers.calls).toEqual([]);
    await request(app).post('/IpamDriver.GetCapabilities');
    expect(drivers.calls).toEqual([{ name: 'registered', args: [] }]);
  });

  it('gives back options of a swarm that are null as an empty map', async () => {
    const { app } = setUp();
    const body = JSON.stringify({ NetworkID: 'a'.repeat(25), Options: null });
    const response = await request(app).post('/NetworkDriver.AllocateNetwork').send(body);
    expect(response.body).toEqual({ Options: {} });
  });
});

describe('paths', () => {
  it.each([
    '/NetworkDriver.Nothing',
    '/',
    '/networkdriver.join',
    '/NetworkDriver.Join/',
    '/%',
    '/VolumeDriver.List',
    '/NetworkDriverXJoin',
  ])('404 for %s', async path => {
    const { app } = setUp();
    const response = await request(app).post(path).send('{}');
    expect(response.status).toBe(404);
    expect(response.body.Err).toMatch(/^METHOD_UNKNOWN: /);
    expect(response.body.Error).toBe(response.body.Err);
  });

  it.each(['get', 'put', 'delete', 'options', 'patch'] as const)('refuses %s on a known path', async verb => {
    const { app, drivers } = setUp();
    const response = await request(app)[verb]('/NetworkDriver.GetCapabilities');
    expect(response.status).toBe(404);
    expect(response.body.Err).toMatch(/^METHOD_UNKNOWN: /);
    expect(drivers.calls).toEqual([]);
  });
});
