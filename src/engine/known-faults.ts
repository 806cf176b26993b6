import type { Log } from '../log.ts';

/** An engine, as far as its faults depend on it. */
export interface EngineRelease {
  /** As the engine says it: `29.0.1`, `20.10.24+dfsg1`, `29.1.0-rc.1`; builds of no release say anything. */
  readonly version: string;
  /** Whether its containers outlive its restarts. */
  readonly liveRestore: boolean;
}

interface Fault {
  readonly concerns: (version: Version, release: EngineRelease) => boolean;
  /** What the engine does, and what helps. */
  readonly words: string;
}

type Version = readonly [major: number, minor: number, patch: number, rest: string];

/** Faults of engines that their driver cannot keep users from; docs/engines.md has those that it can. */
const FAULTS: readonly Fault[] = [
  {
    // The lock is missing in moby's tags from 29.0.0-rc.1 to 29.0.2 and in 29.1.0-rc.1 (libnetwork/drivers/remote,
    // revokeExternalConnectivity).
    concerns: ([major, minor, patch, rest]) =>
      major === 29 &&
      ((minor === 0 && patch <= 2) || (minor === 1 && patch === 0 && /^[-~]rc\.?1\b/.test(rest))),
    words:
      'dies whenever a container whose way out is a tsnet network stops or is disconnected (moby#51554); ' +
      'use 29.0.3 or later',
  },
  {
    // Which endpoint is a gateway is kept in memory only since 29.0.0; not mended up to 29.7.2.
    concerns: ([major], { liveRestore }) => major === 29 && liveRestore,
    words:
      'refuses, for containers that have outlived a restart of it (live-restore), docker network connect of a network ' +
      'that would become their way out instead of a tsnet network; connect such networks before, or restart the container',
  },
  {
    concerns: ([major, minor]) => major < 20 || (major === 20 && minor < 10),
    words: 'is older than any that tsnet is tested with; use 20.10 or later',
  },
];

/** What is known to be wrong with an engine: `engine 29.0.1 dies …`; nothing of versions that say nothing. */
export function knownFaults(release: EngineRelease): string[] {
  const version = parseVersion(release.version);
  if (version === undefined) return [];
  return FAULTS.filter(fault => fault.concerns(version, release)).map(
    ({ words }) => `engine ${release.version} ${words}`,
  );
}

/** Warns of each fault once in the life of the process, however often the engine is looked at. */
export class FaultWarnings {
  readonly #log: Log;
  readonly #told = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  tell(release: EngineRelease): void {
    for (const fault of knownFaults(release)) {
      if (this.#told.has(fault)) continue;
      this.#told.add(fault);
      this.#log.warn(fault);
    }
  }
}

/** `0.0.0-20261121…` and the like are builds of a branch, whose faults nobody knows. */
function parseVersion(text: string): Version | undefined {
  const [, major, minor, patch, rest = ''] = /^v?(\d+)\.(\d+)\.(\d+)(.*)$/.exec(text) ?? [];
  const version = [Number(major), Number(minor), Number(patch)] as const;
  return major === undefined || version[0] === 0 ? undefined : [...version, rest];
}
