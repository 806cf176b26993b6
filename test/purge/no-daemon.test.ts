import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isListening } from '../../src/purge/no-daemon.ts';

const TABLE = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 40411164 /run/docker/plugins/tsnet.sock
0000000000000000: 00000003 00000000 00000000 0001 03 40411165 /run/docker/plugins/other.sock
0000000000000000: 00000002 00000000 00010000 0001 01 40411166 /run/a name/with spaces
0000000000000000: 00000003 00000000 00000000 0001 03 40369706
`;

it('tells from the table of sockets who listens, without asking', () => {
  expect(isListening('/run/docker/plugins/tsnet.sock', TABLE)).toBe(true);
  expect(isListening('/run/a name/with spaces', TABLE)).toBe(true);
  // A connection of somebody who has gone, no socket at all, and the beginning of a path.
  expect(isListening('/run/docker/plugins/other.sock', TABLE)).toBe(false);
  expect(isListening('/run/docker/plugins/none.sock', TABLE)).toBe(false);
  expect(isListening('/run/docker/plugins/tsnet', TABLE)).toBe(false);
});

it('reads the table as this kernel writes it', async () => {
  const path = join(tmpdir(), `listening-${process.pid}.sock`);
  const table = () => readFileSync('/proc/net/unix', 'utf8');
  expect(isListening(path, table())).toBe(false);
  const server = createServer();
  await new Promise<void>(resolve => server.listen(path, resolve));
  expect(isListening(path, table())).toBe(true);
  await new Promise(resolve => server.close(resolve));
  expect(isListening(path, table())).toBe(false);
});
