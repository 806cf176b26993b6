import { basename } from 'node:path';
import type { Violation } from '../../world/types.ts';
import type { JudgeTarget, LogEnds } from '../target.ts';
import { type Rule, violation } from '../violations.ts';

/** Where the logs end now: what was judged up to here. */
export const logEnds = ({ host, daemon }: Pick<JudgeTarget, 'host' | 'daemon'>): LogEnds => ({
  engine: host.engineOutput().length,
  daemon: daemon.log().length,
});

const LATE = /deadline exceeded|Client\.Timeout|timed? ?out|took too long|retrying in/i;
const CRASH = /^(panic:|fatal error:|SIGSEGV|unexpected fault address)/;
/** What the engine says of a call to a driver that is a plugin. */
const TSNET =
  /tsnet|NetworkDriver\.|IpamDriver\.|remote: |[Uu]nable to connect to plugin|failed to (activate|locate).*plugin/;
const COMPLAINT = /level=(warning|error|fatal)/;

/** The engine's log has no error of tsnet that was not provoked, and says of no call that it came late; tsnet's own has no error. */
export const engineLogRules: Rule<JudgeTarget> = target => {
  const { host, daemon, judged = { engine: 0, daemon: 0 }, provoked = [], calls = [] } = target;
  const isProvoked = (line: string): boolean => provoked.some(pattern => pattern.test(line));
  const fresh = (text: string, from: number): string[] =>
    text
      .slice(from)
      .split('\n')
      .filter(line => line !== '' && !isProvoked(line));
  const driver = basename(daemon.socket, '.sock');
  return [
    ...fresh(host.engineOutput(), judged.engine).flatMap(line => ofEngine(line, driver)),
    ...fresh(daemon.log(), judged.daemon).flatMap(ofDaemon),
    ...calls
      .filter(({ ms, limit }) => ms > limit)
      .map(({ what, ms, limit }) =>
        violation('call-not-in-time', what, `took ${Math.round(ms)} ms, of at most ${limit}`),
      ),
  ];
};

function ofEngine(line: string, driver: string): Violation[] {
  if (CRASH.test(line)) return [violation('engine-crashed', 'dockerd', line)];
  const about = line.includes(`plugins/${driver}.`) || TSNET.test(line);
  if (!COMPLAINT.test(line) || !about) return [];
  return [violation(LATE.test(line) ? 'call-not-in-time' : 'engine-log-error', 'dockerd', line)];
}

function ofDaemon(line: string): Violation[] {
  // As a line to read, as one for the journal, and as JSON.
  if (/^\S+ ERROR |^<3>|"level":"error"|unhandled/.test(line))
    return [violation('daemon-log-error', 'tsnet', line)];
  // The engine has been told DEADLINE before.
  if (/ended after its deadline|outcome=DEADLINE|"outcome":"DEADLINE"/.test(line))
    return [violation('call-not-in-time', 'tsnet', line)];
  return [];
}
