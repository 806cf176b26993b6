import type { Host } from '../../test/lab/host.ts';
import type { LabNode } from '../../test/lab/node.ts';
import type { Daemon, World } from '../world/types.ts';

/** What is judged, once the engine has settled and nobody is changing anything. */
export interface JudgeTarget {
  readonly host: Host;
  readonly daemon: Pick<Daemon, 'stateDir' | 'socket' | 'log'>;
  readonly world: World;
  /** A machine of the LAN that is no Docker host; without it nothing is asked from there. */
  readonly lan?: LabNode;
  /** What of the logs was judged already, in characters: see `logEnds`. Default: nothing. */
  readonly judged?: LogEnds;
  /** Complaints in the logs that faults have provoked; a line that matches one is no violation. */
  readonly provoked?: readonly RegExp[];
  /** How long boots of the engine have taken. */
  readonly boots?: readonly Boot[];
  /** Calls of the engine's API, or docker commands, and how long each may take. */
  readonly calls?: readonly TimedCall[];
  /** Milliseconds within which everything has to be right: links are deleted in the background. Default 2000. */
  readonly patience?: number;
}

export interface LogEnds {
  readonly engine: number;
  readonly daemon: number;
}

/** A start of the engine, from its process's start to its first answer, in milliseconds. */
export interface Boot {
  readonly what: string;
  readonly ms: number;
  /** The same, with as many containers, on a host without tsnet. */
  readonly without: number;
}

export interface TimedCall {
  readonly what: string;
  readonly ms: number;
  readonly limit: number;
}
