/** A daemon of the protocol room alone, to be started with a socket as fd 3; writes what it sees to its output. */
import { createLog } from '../../src/log.ts';
import { createApp } from '../../src/protocol/app.ts';
import { listen } from '../../src/protocol/server.ts';
import { FakeDrivers, NOTHING } from './fake.ts';

const log = createLog({ level: 'error', format: 'text' });
const drivers = new FakeDrivers();
const app = createApp({ driver: drivers.network, ipam: drivers.ipam, admin: NOTHING, log });
const [, , socketPath = ''] = process.argv;
const listener = await listen({ app, socketPath, log });
process.once('SIGTERM', async () => {
  await listener.close();
  process.stdout.write('closed\n');
});
const left = Object.keys(process.env).filter(name => name.startsWith('LISTEN_'));
process.stdout.write(`${listener.where} left=${left.length}\n`);
