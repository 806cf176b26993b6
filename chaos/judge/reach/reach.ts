import type { Violation } from '../../world/types.ts';
import { containerNamespacePath, hostNamespacePath } from '../kernel/read-kernel.ts';
import type { Look } from '../look.ts';
import { probe } from '../probe/probe.ts';
import type { JudgeTarget } from '../target.ts';
import { violation } from '../violations.ts';
import { betweenContainers } from './containers.ts';
import { heldPorts } from './held-ports.ts';
import { withHost } from './host.ts';
import { withLan } from './lan.ts';
import { portsAnswer } from './ports.ts';
import type { Reach } from './types.ts';

const EADDRINUSE = '98';

/** Everybody reaches whom their networks promise, and no one else; published ports lead to their containers, others are free. */
export async function reachRule(look: Look): Promise<Violation[]> {
  const questions = [
    ...betweenContainers(look),
    ...withHost(look),
    ...withLan(look),
    ...portsAnswer(look),
    ...heldPorts(look),
  ];
  const answers = await probe({ namespaces: namespaces(look), questions });
  return questions.flatMap((question, at) => verdict(question, answers[at] ?? null));
}

function namespaces({ target, engine, kernel }: Look): Record<string, string> {
  const { host, lan }: JudgeTarget = target;
  const containers = engine.containers.filter(({ name }) => kernel.containers.has(name));
  return {
    host: hostNamespacePath(host),
    ...(lan === undefined ? {} : { lan: `/proc/${lan.pid}/ns/net` }),
    ...Object.fromEntries(
      containers.map(container => [inside(container.name), containerNamespacePath(host, container)]),
    ),
  };
}

/** What the probe calls a container's namespace. */
const inside = (container: string): string => `container ${container}`;

function verdict(question: Reach, answer: string | null): Violation[] {
  const { kind, rule, subject, from, expected, name } = question;
  const place = placeOf(question);
  const say = (words: string): Violation[] => [violation(rule, subject, words)];
  if (kind === 'bind') {
    if (expected && answer !== 'free')
      return say(`${place} belongs to nobody and cannot be bound (error ${answer})`);
    if (!expected && answer !== EADDRINUSE) return say(`${place} is published, and others can bind it`);
    return [];
  }
  const answered = answer !== null && answer !== '';
  if (!expected) return answered ? say(`${from} reaches ${place}`) : [];
  if (!answered) return say(`${from} does not reach ${place}${answer === '' ? ': refused' : ''}`);
  return name === undefined || answer === name
    ? []
    : say(`${from} finds '${answer}' at ${place}, not ${name}`);
}

/** As users write it. */
function placeOf({ kind, address, port, protocol }: Reach): string {
  if (kind === 'ping') return address;
  const udp = kind === 'knock' || protocol === 'udp';
  return `${address.includes(':') ? `[${address}]` : address}:${port}${udp ? '/udp' : ''}`;
}
