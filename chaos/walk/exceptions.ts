import { waitFor } from '../../test/lab/wait.ts';
import type { Violation } from '../world/types.ts';
import type { Operation } from './operation.ts';
import type { Answer, Scene } from './scene.ts';

/*
 * What the engine makes of a call that was cut off, and no driver can mend: it repeats it with an empty body (moby#35459), takes the
 * refusal of that for the call's own, and then does what is told here.
 */

/** A command that cannot simply be repeated. */
interface Detour {
  readonly operation: RegExp;
  /** What docker says when it is asked again. */
  readonly words: RegExp;
  readonly reason: string;
  /** What its user has to do first. @param words what docker said */
  readonly first: (scene: Scene, words: string) => Promise<unknown>;
}

/** Something that the engine leaves undone, and writes into its log only. */
interface Omission {
  readonly operation: RegExp;
  /** What it writes there. */
  readonly words: RegExp;
  readonly reason: string;
  /** What its user has to do. @param found what of the log matches */
  readonly mend: (scene: Scene, operation: Operation, found: RegExpExecArray) => Promise<Answer>;
}

/** Something that the judge finds, and that is the engine's doing. */
interface Excuse {
  readonly operation: RegExp;
  readonly rule: string;
  readonly subject: RegExp;
  readonly reason: string;
}

const PHANTOM = /endpoint with name (\S+) already exists in network (\S+)/;

const CUT_OFF = /SUBNET_OVERLAP: .* of network ([0-9a-f]{12})\./;

const DETOURS: readonly Detour[] = [
  {
    operation: /^network connect/,
    words: PHANTOM,
    reason:
      'engine 20.10 gives a connection up whose EndpointOperInfo was cut off, after the container has joined, and does not take it back ("Could not rollback container connection")',
    first: (scene, words) => {
      const [, container = '', network = ''] = PHANTOM.exec(words) ?? [];
      return scene.docker('network', 'disconnect', '-f', network, container);
    },
  },
  {
    operation: /^network create/,
    words: CUT_OFF,
    reason:
      'of a network whose creation was cut off tsnet has the subnet, until it has asked the engine what it has: the command is to be repeated some seconds later',
    first: ({ daemon }, words) => {
      const [, id = ''] = CUT_OFF.exec(words) ?? [];
      const isRemoved = async () =>
        daemon.log().includes(`network ${id} is unknown to the engine and is removed\n`);
      return waitFor(isRemoved, { timeout: 10_000, what: 'tsnet to remove what was cut off' });
    },
  },
];

const OMISSIONS: readonly Omission[] = [
  {
    operation: /^network disconnect/,
    // As 28 and as 20.10 have it.
    words:
      /(?:Failed to set gateway.*|driver failed )programming external connectivity on endpoint ([^\s:]+)/,
    reason:
      'the engine does not publish the ports of a container by the network that becomes its way out when that ProgramExternalConnectivity was cut off, and tells nobody: the container has to be restarted',
    mend: (scene, _operation, [, container = '']) => scene.docker('restart', '-t', '0', container),
  },
  {
    operation: /^engine /,
    words: /Failed to allocate ipam pool\(s\) for network/,
    reason:
      'the engine goes on without the pool of a network whose RequestPool was cut off at its boot, and starts no container on it: it has to be started once more',
    mend: (scene, { engine }) => scene.restartEngine('TERM', engine),
  },
];

const EXCUSES: readonly Excuse[] = [
  {
    operation: /^engine (.*live-restore|kill -9)/,
    rule: 'engine-crashed',
    subject: /./,
    reason:
      'the engine (20.10 and 28) panics at its boot, in assignAddressVersion, when it restores a running container into a network whose RequestPool was cut off',
  },
  {
    operation: /^engine /,
    rule: 'address-not-leased',
    subject: /(\.|::)1$/,
    reason:
      'the engine releases the gateway of a network of which a later pool or gateway was cut off at its boot, and keeps the network; tsnet gives it to no container',
  },
];

/** The way round a refusal, if there is one. */
export const detourFor = (operation: string, words: string): Detour | undefined =>
  DETOURS.find(one => one.operation.test(operation) && one.words.test(words));

/**
 * Does what the engine has left undone, by its log.
 * @returns why, for each
 */
export async function makeGood(scene: Scene, operation: Operation, log: string): Promise<string[]> {
  const reasons: string[] = [];
  for (const { operation: of, words, reason, mend } of OMISSIONS) {
    const found = of.test(operation.name) ? words.exec(log) : null;
    if (found === null) continue;
    await mend(scene, operation, found);
    reasons.push(reason);
  }
  return reasons;
}

/** Why something that the judge has found is the engine's doing; undefined: it is not. */
export const excuseFor = (operation: string, { rule, subject }: Violation): string | undefined =>
  EXCUSES.find(one => one.operation.test(operation) && one.rule === rule && one.subject.test(subject))
    ?.reason;
