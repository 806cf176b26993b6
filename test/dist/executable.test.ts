import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CODE_CACHE, EXECUTABLE, FLAGS, nodeOf, PROGRAM } from '../../scripts/build/executable.ts';
import { askSocket } from '../../src/socket-request.ts';
import { waitFor } from '../lab/wait.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Sources that the executable is made of. */
const SOURCES = ['src', 'scripts/build', 'package.json', 'tsconfig.json'];

/** Builds by a process of its own, as make does. */
async function build(root: string, work: string, env: Record<string, string>, cwd: string): Promise<void> {
  const code = `import { buildExecutable } from '${root}/scripts/build/executable.ts'; await buildExecutable('${root}', '${work}');`;
  await execa(nodeOf(ROOT), ['--input-type=module', '-e', code], { cwd, env });
}

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

describe('the executable', () => {
  /** Of one file system with node_modules, which the second tree has by hard links. */
  let dir: string;
  let here: string;
  let elsewhere: string;

  beforeAll(async () => {
    await mkdir(join(ROOT, 'dist'), { recursive: true });
    dir = await mkdtemp(join(ROOT, 'dist/test-'));
    const tree = join(dir, 'another place');
    // One copy for both builds, so that an edit between them is not taken for a difference.
    const first = join(dir, 'tree');
    for (const source of SOURCES) await cp(join(ROOT, source), join(first, source), { recursive: true });
    await execa('cp', ['-al', join(ROOT, 'node_modules'), join(first, 'node_modules')]);
    await execa('cp', ['-al', first, tree]);
    here = join(first, 'dist');
    elsewhere = join(tree, 'dist/deeper');
    await build(first, here, {}, first);
    await build(tree, elsewhere, { HOME: '/nonexistent', COLUMNS: '40', TZ: 'Asia/Tokyo', LC_ALL: 'C' }, '/');
  });
  afterAll(() => rm(dir, { recursive: true }));

  it('is the same, byte for byte, wherever it is built', async () => {
    for (const file of [PROGRAM, CODE_CACHE, EXECUTABLE])
      expect(await digest(join(here, file)), file).toBe(await digest(join(elsewhere, file)));
  });

  it('has compiled code that V8 takes under the flags of the executable', async () => {
    const code = `
      const { readFileSync } = require('node:fs');
      const [program, cache] = process.argv.slice(1);
      const script = new (require('node:vm').Script)(readFileSync(program, 'latin1'), {
        filename: 'tsnet.cjs', cachedData: readFileSync(cache) });
      console.log(script.cachedDataRejected);`;
    const files = [join(here, PROGRAM), join(here, CODE_CACHE)];
    const { stdout } = await execa(nodeOf(ROOT), [...FLAGS, '-e', code, ...files]);
    expect(stdout).toBe('false');
  });

  it('names no directory of the machine that built it', async () => {
    const program = await readFile(join(here, PROGRAM), 'latin1');
    const blob = await readFile(join(here, 'sea.blob'), 'latin1');
    expect(program).not.toContain(dir);
    expect(blob).not.toContain(dir);
  });

  it('tells the version that package.json states, also in its log', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    const executable = join(here, EXECUTABLE);
    expect((await execa(executable, ['--version'])).stdout).toBe(version);

    const socketPath = join(dir, 'tsnet.sock');
    const serve = ['serve', '--socket', socketPath, '--state', join(dir, 'state'), '--docker-socket', ''];
    // In a network namespace of its own, so that it finds nothing to do.
    const daemon = execa('unshare', ['-n', executable, ...serve], { all: true });
    try {
      let log = '';
      daemon.all.on('data', chunk => {
        log += chunk;
      });
      await waitFor(() => log.includes('listening'), { what: () => `the daemon to listen: ${log}` });
      await askSocket({
        socketPath,
        method: 'POST',
        path: '/NetworkDriver.GetCapabilities',
        patienceMs: 5000,
      });
      await waitFor(() => log.includes('NetworkDriver.GetCapabilities'), { what: 'the entry of the call' });
      const [start, ...rest] = log.split('\n');
      expect(start).toContain(`tsnet version=${version}`);
      expect(rest.find(line => line.includes('GetCapabilities'))).toContain(`object="tsnet ${version}"`);
    } finally {
      daemon.kill('SIGTERM');
      await daemon;
    }
  });
});
