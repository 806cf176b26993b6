import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, describe, expect, test } from 'vitest';
import { labCgroups } from './cgroups.ts';
import { engines } from './engines.ts';
import { Lab } from './lab.ts';
import { compare, snapshot } from './leftovers.ts';
import { allPids, argv, children, hasOwnNet, runs, stat } from './proc.ts';
import { sweep } from './remove.ts';
import { waitFor } from './wait.ts';

const available = await engines();
const LIBRARY = join(import.meta.dirname, 'lab.ts');

// Other files' labs come and go meanwhile: after each test, only what bears this file's own mark counts
const mark = `${process.env['TSNET_TEST_RUN'] ?? ''}labtest-`;
process.env['TSNET_TEST_RUN'] = mark;

afterEach(async () => {
  let found: string[] = [];
  const clean = async () => {
    found = Object.values(await snapshot())
      .flat()
      .filter(thing => thing.includes(mark));
    return found.length === 0;
  };
  await waitFor(clean, { timeout: 5_000, what: () => `nothing to be left:\n${found.join('\n')}` });
});

/** Runs a script that uses the library in a process of its own, until it has written a line of JSON. */
async function creator(
  script: string,
): Promise<{ pid: number; said: { dir: string }; kill: () => Promise<void> }> {
  const child = execa(process.execPath, ['--input-type=module', '-e', script], {
    env: { LIBRARY },
    reject: false,
    buffer: false,
    stderr: 'inherit',
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const line = await waitFor(() => text.includes('\n') && text, {
    timeout: 30_000,
    what: 'the creator of a lab',
  });
  const kill = async () => {
    child.kill('SIGKILL');
    await child;
  };
  return { pid: child.pid ?? 0, said: JSON.parse(line), kill };
}

test('is run by root, as Docker hosts can be made by nobody else', () => {
  expect(process.getuid?.()).toBe(0);
});

describe.each(available)('a host with engine $generation', ({ generation, version }) => {
  const engine = generation as '20.10';

  test('boots, runs that engine and lets two containers talk', async () => {
    await using lab = await Lab.create({ hosts: [{ engine }] });
    const host = lab.host();
    expect((await host.api('GET', '/version')).body).toMatchObject({ Version: version });
    await host.loadImage();
    expect((await host.docker('run', '-d', '--name', 'one', 'busybox', 'sleep', '600')).stderr).toBe('');
    const found = await host.docker('inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'one');
    const address = String(found.stdout).trim();
    const ping = await host.docker('run', '--rm', 'busybox', 'ping', '-c', '1', '-W', '2', address);
    expect(ping.stdout).toContain('1 packets received');
    const way = await host.docker('run', '--rm', 'busybox', 'ping', '-c', '1', '-W', '2', '198.18.0.1');
    expect(way.stdout).toContain('1 packets received');
  });

  test('comes back after a power failure with its disk', async () => {
    await using lab = await Lab.create({ hosts: [{ engine }], disk: 'dir' });
    const host = lab.host();
    await host.loadImage();
    await host.docker('run', '-d', '--restart', 'always', '--name', 'kept', 'busybox', 'sleep', '600');
    await host.sh('echo state > /var/lib/tsnet/kept; echo 1 > /run/gone');
    const { pid } = host;
    await host.crash();
    expect(host.isUp).toBe(false);
    expect(() => host.pid).toThrow('down');
    await host.boot();
    expect(host.pid).not.toBe(pid);
    expect((await host.exec('cat', ['/var/lib/tsnet/kept'])).stdout).toBe('state');
    expect((await host.exec('test', ['-e', '/run/gone'], { reject: false })).exitCode).toBe(1);
    const running = async () => (await host.docker('ps', '--format', '{{.Names}}')).stdout === 'kept';
    await waitFor(running, { what: 'the container that restarts always' });
    expect((await lab.lan.exec('ping', ['-c', '1', '-W', '2', host.address])).exitCode).toBe(0);
  });

  test('starts its engine again after TERM and after KILL', async () => {
    await using lab = await Lab.create({ hosts: [{ engine, daemonJson: { 'live-restore': true } }] });
    const host = lab.host();
    await host.loadImage();
    await host.docker('run', '-d', '--name', 'one', 'busybox', 'sleep', '600');
    for (const how of ['TERM', 'KILL'] as const) {
      await host.stopEngine(how);
      expect((await host.docker('version')).exitCode).not.toBe(0);
      await host.startEngine(['--debug']);
      expect((await host.docker('inspect', '-f', '{{.State.Running}}', 'one')).stdout).toBe('true');
    }
  });

  test('discards containers by name, and none whose id begins like one', async () => {
    await using lab = await Lab.create({ hosts: [{ engine }] });
    const host = lab.host();
    await host.loadImage();
    const { stdout } = await host.docker('run', '-d', '--name', 'kept', 'busybox', 'sleep', '600');
    await host.docker('run', '-d', '--name', 'c1', 'busybox', 'sleep', '600');
    await host.discard('c1', 'c2', String(stdout).slice(0, 2));
    expect((await host.docker('ps', '-a', '--format', '{{.Names}}')).stdout).toBe('kept');
  });

  test('has docker compose', async () => {
    await using lab = await Lab.create({ hosts: [{ engine }] });
    const host = lab.host();
    await host.loadImage();
    const file = { services: { web: { image: 'busybox', command: 'sleep 600', stop_signal: 'SIGKILL' } } };
    const options = { input: JSON.stringify(file), reject: true };
    await host.dockerWith(options, 'compose', '-p', 'shop', '-f', '-', 'up', '-d', '--pull', 'never');
    expect((await host.docker('ps', '--format', '{{.Names}}')).stdout).toBe('shop-web-1');
  });
});

test('hosts of all engines share a LAN, on every card, and cables can be cut', async () => {
  await using lab = await Lab.create({
    hosts: available.map(({ generation }) => ({ engine: generation as '20.10', autostart: false })),
    nics: 2,
  });
  const ping = async (address: string) =>
    (await lab.lan.exec('ping', ['-c', '1', '-W', '1', address], { reject: false })).exitCode;
  for (const host of lab.hosts) {
    expect(await ping(host.address)).toBe(0);
    expect(await ping(host.address6)).toBe(0);
    expect((await host.exec('ping', ['-c', '1', '-W', '1', '198.18.1.1'])).exitCode).toBe(0);
  }
  const host = lab.host();
  await host.cut();
  expect(await ping(host.address)).not.toBe(0);
  await host.heal();
  expect(await ping(host.address)).toBe(0);
});

test('a host keeps to itself: namespaces, /sys, the project read-only', async () => {
  await using lab = await Lab.create({ hosts: [{ autostart: false }], binds: ['/usr/share/doc'] });
  const host = lab.host();
  expect(hasOwnNet(host.pid)).toBe(true);
  expect((await host.exec('hostname')).stdout).toBe('h1');
  expect(
    String((await host.exec('ls', ['/sys/class/net'])).stdout)
      .split('\n')
      .sort(),
  ).toEqual(['eth0', 'lo']);
  const write = await host.exec('touch', [join(import.meta.dirname, 'written')], { reject: false });
  expect(write.stderr).toContain('Read-only file system');
  const node = await host.exec('node', ['--version'], { cwd: import.meta.dirname });
  expect(node.stdout).toBe(process.version);
});

test('spawned programs can be watched and stopped, and orphans are reaped', async () => {
  await using lab = await Lab.create({ hosts: [{ autostart: false }] });
  const host = lab.host();
  const script =
    'process.on("SIGTERM", () => { console.log("bye"); process.exit(7); }); setInterval(() => {}, 1e3)';
  const child = await host.spawn('node', ['-e', `${script}; console.log("hello")`]);
  await child.waitForOutput('hello');
  expect(await child.stop()).toEqual({ code: 7, signal: undefined });
  expect(child.output()).toBe('hello\nbye\n');
  expect(await (await host.spawn('sleep', ['600'])).stop('SIGKILL')).toEqual({
    code: undefined,
    signal: 'SIGKILL',
  });
  await expect((await host.spawn('sh', ['-c', 'echo no'])).waitForOutput('yes')).rejects.toThrow('no');
  await host.sh('(sleep 0.01 &) ; true');
  const zombies = () => children(host.pid).filter(pid => stat(pid)?.state === 'Z');
  await waitFor(() => children(host.pid).length === 0, {
    what: () => `orphans to end, zombies: ${zombies()}`,
  });
});

test('what a lab is made of shows in a comparison of the machine before and after', async () => {
  const before = await snapshot();
  const lab = await Lab.create({ hosts: [{}] });
  const during = compare(before, await snapshot()).filter(line => line.includes(lab.name));
  await lab.destroy();
  for (const kind of ['cgroup /', 'file /', 'process ']) {
    expect(during.filter(line => line.startsWith(`left behind: ${kind}`))).not.toEqual([]);
  }
  expect(during.some(line => line.includes('dockerd'))).toBe(true);
  expect(compare(before, await snapshot()).filter(line => line.includes(lab.name))).toEqual([]);
});

test('a comparison names what is more, and what of the network is gone', () => {
  const before = { link: ['lo', 'eth0'], file: ['/tmp/tsnet-old'], process: ['1 dockerd'] };
  const after = { link: ['lo', 'left0'], file: [], process: [] };
  expect(compare(before, after)).toEqual(['left behind: link left0', 'gone: link eth0']);
  expect(compare(before, before)).toEqual([]);
});

test('two labs at once do not see each other', async () => {
  await using one = await Lab.create({ hosts: [{ autostart: false }] });
  await using two = await Lab.create({ hosts: [{ autostart: false }] });
  expect(one.host().address).toBe(two.host().address);
  await one.host().crash();
  expect((await two.lan.exec('ping', ['-c', '1', '-W', '1', two.host().address])).exitCode).toBe(0);
  await one.destroy();
  expect((await two.lan.exec('ping', ['-c', '1', '-W', '1', two.host().address])).exitCode).toBe(0);
});

test('a lab that cannot boot leaves nothing and says why', async () => {
  await expect(Lab.create({ binds: ['/nowhere/at/all'] })).rejects.toThrow(/did not boot[\s\S]*nowhere/);
  await expect(Lab.create({ hosts: [{ dockerdArgs: ['--no-such'] }] })).rejects.toThrow(/no-such/);
});

test('a lab dies with its creator, containers and all, even by kill -9', async () => {
  const { said, kill } = await creator(`
    const { Lab } = await import(process.env.LIBRARY);
    const lab = await Lab.create({ disk: 'dir' });
    await lab.host().loadImage();
    await lab.host().docker('run', '-d', 'busybox', 'sleep', '600');
    console.log(JSON.stringify({ dir: lab.dir }));
    setInterval(() => {}, 1e6);`);
  expect(existsSync(said.dir)).toBe(true);
  await kill();
  await waitFor(() => !existsSync(said.dir), { what: `${said.dir} to be removed` });
});

test('a lab whose guard died, too, is removed by the next one', async () => {
  const { said, pid, kill } = await creator(`
    const { Lab } = await import(process.env.LIBRARY);
    const lab = await Lab.create({ hosts: [{ autostart: false }] });
    console.log(JSON.stringify({ dir: lab.dir }));
    setInterval(() => {}, 1e6);`);
  const guard = Number(JSON.parse(readFileSync(join(said.dir, 'lab.json'), 'utf8')).guard.pid);
  expect(stat(guard)?.parent).toBe(pid);
  process.kill(guard, 'SIGKILL');
  await waitFor(() => !runs(guard), { what: 'the guard to die' });
  await kill();
  // the processes have gone with their creator; what is left are the directory and the cgroups
  const holders = () =>
    allPids().filter(one => argv(one).some(word => word.endsWith(`:${said.dir.split('/').pop()}`)));
  await waitFor(() => holders().length === 0, { what: 'the processes of the lab to die' });
  expect(existsSync(said.dir)).toBe(true);
  await sweep();
  expect(existsSync(said.dir)).toBe(false);
  expect(await labCgroups(said.dir.split('/').pop())).toEqual([]);
});

test('a detached lab stays, and another process finds and removes it', async () => {
  const { said, kill } = await creator(`
    const { Lab } = await import(process.env.LIBRARY);
    const lab = await Lab.create({ detached: true });
    console.log(JSON.stringify({ dir: lab.dir }));
    setInterval(() => {}, 1e6);`);
  await kill();
  await sweep();
  const lab = await Lab.attach(said.dir);
  try {
    expect((await lab.host().docker('version')).exitCode).toBe(0);
    await lab.host().stopEngine('KILL');
    await lab.host().startEngine();
  } finally {
    await lab.destroy();
  }
  expect(existsSync(said.dir)).toBe(false);
});
