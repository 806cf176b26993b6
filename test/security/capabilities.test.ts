import { beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../lab/wait.ts';
import { grantedByUnit, LimitedDaemon } from './support/limited-daemon.ts';

/** What docs/security.md says of each capability, by taking it away: with all of them each of these is there. */
const NEEDED_FOR: Readonly<Record<string, (daemon: LimitedDaemon) => Promise<boolean>>> = {
  net_admin: async daemon => (await daemon.createNetwork()) === '',
  sys_admin: async daemon => {
    await daemon.createNetwork();
    return (await daemon.attach()) === 'inside';
  },
  net_bind_service: async daemon => {
    await daemon.createNetwork();
    await daemon.attach();
    return (await daemon.publish(80)) === '';
  },
  net_raw: async daemon => {
    await daemon.createNetwork();
    await daemon.attach();
    await waitFor(async () => (await daemon.publish(81)) === '', { what: 'a call after the announcements' });
    return !daemon.log.includes('AF_PACKET: EPERM');
  },
  sys_ptrace: namesWhoHasPort,
  dac_read_search: namesWhoHasPort,
  sys_nice: async daemon => {
    await daemon.createNetwork();
    return daemon.niceness() < 0;
  },
};

/** A busy machine may have no time to look: some attempts. */
async function namesWhoHasPort(daemon: LimitedDaemon): Promise<boolean> {
  await daemon.createNetwork();
  await daemon.attach();
  return daemon.whileTaken(async () => {
    for (let attempt = 0; attempt < 5; attempt++)
      if (/taken by process (?:busybox|nc) \(pid \d+\)/.test(await daemon.publish(8080))) return true;
    return false;
  });
}

describe('the capabilities of the service', () => {
  let granted: string[] = [];
  beforeAll(async () => {
    granted = await grantedByUnit();
  });

  it('are those that are needed for something', () => {
    expect(granted.toSorted()).toEqual(Object.keys(NEEDED_FOR).sort());
  });

  it('are enough for all of it', async () => {
    await using daemon = await LimitedDaemon.start(granted);
    expect(await daemon.createNetwork()).toBe('');
    expect(await daemon.attach()).toBe('inside');
    expect(await daemon.publish(80)).toBe('');
    expect(daemon.niceness()).toBeLessThan(0);
    expect(daemon.log).not.toMatch(/EPERM|EACCES|CAPABILITY/);
  });

  it.each(Object.entries(NEEDED_FOR))('without %s lose what it is for', async (name, isThere) => {
    await using daemon = await LimitedDaemon.start(granted.filter(other => other !== name));
    expect(await isThere(daemon)).toBe(false);
  });

  it('are what tells who has a port', async () => {
    await using daemon = await LimitedDaemon.start(granted);
    expect(await namesWhoHasPort(daemon)).toBe(true);
  });
});
