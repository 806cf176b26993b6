import { afterAll, beforeAll, expect, it } from 'vitest';
import { callPlugin } from '../engine/support/plugin-socket.ts';
import { TsnetHost } from '../engine/support/tsnet-host.ts';
import { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';

const API = '/run/engine-api.sock';
/** Answers as much of an engine's API as tsnet asks for, and says the version that is in a file. */
const ENGINE = `
  const { readFileSync } = require('node:fs');
  require('node:http').createServer((request, response) => {
    const ServerVersion = readFileSync('/run/version', 'utf8');
    response.end(JSON.stringify(request.url === '/info' ? { ID: 'e1', ServerVersion } : []));
  }).listen('${API}', () => console.log('listening'));`;

let lab: Lab;
let host: TsnetHost;

beforeAll(async () => {
  lab = await Lab.create({ hosts: [{ autostart: false }] });
  host = new TsnetHost(lab.host());
  await claim('29.0.1');
  const engine = await host.host.spawn('node', ['-e', ENGINE]);
  await engine.waitForOutput('listening');
});
afterAll(() => lab?.destroy());

const claim = (version: string) => host.host.sh(`printf %s ${version} > /run/version`);
const warnings = () => host.log().match(/^\S+ WARN .*moby#51554.*$/gm) ?? [];
const warned = (count: number) =>
  waitFor(() => warnings().length === count, { what: () => `${count} warnings:\n${host.log()}` });

it('tsnet warns, when it starts, of an engine that is known to die', async () => {
  await host.start('--docker-socket', API);
  await warned(1);
  expect(warnings()[0]).toContain('engine 29.0.1 dies whenever');
});

it('and again when an engine of another version has started', async () => {
  const register = () => callPlugin(host, 'NetworkDriver.GetCapabilities', '');
  await register();
  await claim('29.0.2');
  await register();
  await warned(2);
  expect(warnings()[1]).toContain('engine 29.0.2 dies whenever');
});
