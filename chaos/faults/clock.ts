import { join } from 'node:path';
import { environ } from '../../test/lab/proc.ts';
import type { Fault, FaultTarget } from '../world/types.ts';

const SHIFTED_CLOCK = join(import.meta.dirname, 'programs/shifted-clock.cjs');
const SHIFT_FILE = '/run/tsnet-clock-shift';
const HOUR = 3600;

/**
 * The time of day steps under a running tsnet. Labs share the machine's clock, which no namespace keeps apart (those of time,
 * time_namespaces(7), shift only the monotonic clock), so what steps is the time that JavaScript is told in tsnet's process: tsnet
 * itself asks for it nowhere but in the log's time stamps.
 */
const stepped = (kind: string, seconds: number): Fault => ({
  kind,
  strike: async target => {
    await shift(target, 0);
    await target.daemon.kill();
    await target.daemon.start({ NODE_OPTIONS: `--require ${SHIFTED_CLOCK}`, CLOCK_SHIFT: SHIFT_FILE });
    await shift(target, seconds);
    return async () => {
      await shift(target, 0);
      await target.daemon.kill();
      await target.host.exec('rm', [SHIFT_FILE]);
      await target.daemon.start();
    };
  },
});

export const clockForward = stepped('clock-forward', 400 * 24 * HOUR);
export const clockBack = stepped('clock-back', -400 * 24 * HOUR);

export const CLOCK_FAULTS: readonly Fault[] = [clockForward, clockBack];

async function shift({ host, daemon }: FaultTarget, seconds: number): Promise<void> {
  await host.sh(`echo ${seconds} > ${SHIFT_FILE}`);
  const pid = daemon.pid();
  // Another one, started since, does not know the signal and would die of it.
  const knows = pid !== undefined && environ(pid).some(setting => setting.startsWith('CLOCK_SHIFT='));
  if (knows) process.kill(pid, 'SIGUSR2');
}
