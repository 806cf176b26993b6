import express from 'express';
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { ERRORS, TsnetError } from '../../src/errors.ts';
import { type Admin, adminRouter, type ListedPort } from '../../src/protocol/admin-router.ts';
import type { Ready } from '../../src/protocol/readiness.ts';
import { ENDPOINT, LogProbe, NETWORK, NOTHING } from './fake.ts';

const PORT: ListedPort = {
  networkId: NETWORK,
  network: 'web',
  endpointId: ENDPOINT,
  mode: 'macvlan',
  protocol: 'udp',
  hostAddress: '::',
  hostPort: 5353,
  containerAddress: '2001:db8::2',
  containerPort: 53,
  at: 'host',
};

const setUp = (part: Partial<Admin>, ready?: Ready) => {
  const probe = new LogProbe();
  const context = { log: probe.log, deadlineMs: 1000, ready };
  return { app: express().use(adminRouter({ ...NOTHING, ...part }, context)), probe };
};

describe('POST /Tsnet.Ports', () => {
  it('lists what is published, without a body to ask with', async () => {
    const { app, probe } = setUp({ published: () => [PORT] });
    const response = await request(app).post('/Tsnet.Ports').expect(200);
    expect(JSON.parse(response.text)).toEqual({ ports: [PORT] });
    expect(probe.entries).toEqual([
      expect.objectContaining({ message: 'Tsnet.Ports', outcome: 'ok', changed: [] }),
    ]);
  });

  it('answers while the daemon restores, for it changes nothing', async () => {
    const { app } = setUp({ published: () => [] }, () => new Promise(() => undefined));
    const response = await request(app).post('/Tsnet.Ports').expect(200);
    expect(JSON.parse(response.text)).toEqual({ ports: [] });
  });

  it('says with a code of the table why it cannot', async () => {
    const { app } = setUp({
      published: () => {
        throw new TsnetError('STATE_CORRUPT', 'the state file is no database');
      },
    });
    const response = await request(app).post('/Tsnet.Ports').expect(500);
    const text = `STATE_CORRUPT: the state file is no database. ${ERRORS.STATE_CORRUPT.remedy}`;
    expect(JSON.parse(response.text)).toEqual({ Err: text, Error: text });
  });

  it('is at its exact path only', async () => {
    const { app } = setUp({ published: () => [PORT] });
    for (const path of ['/tsnet.ports', '/Tsnet.Ports/', '/Tsnet.Port']) {
      await request(app).post(path).expect(404);
    }
    await request(app).get('/Tsnet.Ports').expect(404);
  });
});

describe('POST /Tsnet.Status', () => {
  it('says how the daemon is', async () => {
    const status = {
      networks: 2,
      endpoints: 3,
      attached: { byEngine: 5, inside: 4, unopened: 1 },
      orphans: [{ name: 'network web', since: 3, removedIn: 27 }],
      collected: 7,
      store: { problem: 'STATE_FULL: no room', damaged: [] },
    };
    const { app } = setUp({ status: () => status });
    const response = await request(app).post('/Tsnet.Status').expect(200);
    expect(JSON.parse(response.text)).toEqual(status);
  });
});
