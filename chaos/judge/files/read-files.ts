import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Host } from '../../../test/lab/host.ts';
import type { JudgeTarget } from '../target.ts';

/** Names of what lies in the places that tsnet writes to on a host. */
export interface HostFiles {
  readonly state: readonly string[];
  readonly plugins: readonly string[];
  /** Paths in the places for what is needed for a moment. */
  readonly temporary: readonly string[];
}

export function readFiles(host: Host, { stateDir, socket }: JudgeTarget['daemon']): HostFiles {
  const names = (dir: string): string[] => {
    try {
      return readdirSync(`/proc/${host.pid}/root${dir}`);
    } catch {
      return [];
    }
  };
  return {
    state: names(stateDir),
    plugins: names(dirname(socket)),
    temporary: ['/run', '/dev/shm', '/tmp'].flatMap(dir => names(dir).map(name => `${dir}/${name}`)),
  };
}
