import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { waitFor } from '../lab/wait.ts';
import { daemonOf } from './support/host-view.ts';
import { LAN4, startContainer } from './support/macvlan-lab.ts';
import { ENGINES, type TsnetHost, tsnetLab } from './support/tsnet-host.ts';

const ROUNDS = 10;

/** Records a process's calls while a task runs. @returns one line a call */
async function traced(pid: number, file: string, calls: readonly string[], task: () => Promise<void>) {
  const strace = execa('strace', ['-f', '-p', String(pid), '-o', file, '-e', `trace=${calls.join(',')}`], {
    reject: false,
  });
  let said = '';
  let ended = false;
  void strace.then(() => {
    ended = true;
  });
  strace.stderr.on('data', chunk => {
    said += chunk;
  });
  try {
    await waitFor(() => /attached/.test(said) || ended, { what: () => `strace: ${said}` });
    expect(said).toMatch(/attached/);
    await task();
  } finally {
    strace.kill('SIGINT');
    await strace;
  }
  return readFileSync(file, 'utf8').split('\n');
}

describe.each(ENGINES)('attaching containers, engine %s', engine => {
  let lab: Lab;
  let host: TsnetHost;

  beforeAll(async () => {
    const made = await tsnetLab({ hosts: [{ engine }] });
    lab = made.lab;
    [host] = made.hosts as [TsnetHost];
    await host.docker('network', 'create', '-d', 'tsnet', 'web');
    const lan = [...LAN4, '--ip-range', '198.18.0.192/27', '-o', 'parent=eth0', 'lan'];
    await host.docker('network', 'create', '-d', 'tsnet', ...lan);
    await host.docker('network', 'create', 'away');
    await startContainer(host, 'c1', 'away');
  });
  afterAll(() => lab?.destroy());

  it.each(['web', 'lan'])('starts no process: connect and disconnect on %s', async network => {
    const count = (what: string) => host.log().split(`NetworkDriver.${what} outcome=ok`).length - 1;
    const [joins, deletes] = [count('Join'), count('DeleteEndpoint')];
    const calls = ['execve', 'execveat', 'fork', 'vfork', 'clone', 'clone3', 'sendto'];
    const lines = await traced(daemonOf(host), join(host.host.dir, `trace-${network}`), calls, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await host.docker('network', 'connect', network, 'c1');
        await host.docker('network', 'disconnect', network, 'c1');
      }
    });
    expect(count('Join') - joins).toBe(ROUNDS);
    expect(count('DeleteEndpoint') - deletes).toBe(ROUNDS);
    // the trace has seen the daemon at work: netlink messages, at least one for each link made and removed
    expect(lines.filter(line => / sendto\(/.test(line)).length).toBeGreaterThan(2 * ROUNDS);
    const processes = lines.filter(
      line => /\b(execve|execveat|fork|vfork|clone|clone3)\(/.test(line) && !line.includes('CLONE_THREAD'),
    );
    expect(processes).toEqual([]);
  });
});
