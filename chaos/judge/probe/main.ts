/** Carries out a plan, which it reads from its standard input, and prints the answers. Needs root. */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { Asking } from './asking.ts';
import { Knocking } from './knocking.ts';
import { bind, close, only6, poll, reuseAddress, SOCK_DGRAM, SOCK_STREAM, setns, socket } from './libc.ts';
import { Pinging } from './pinging.ts';
import type { Answers, Plan, Question } from './plan.ts';
import { domainOf, sockaddr } from './sockaddr.ts';
import type { Work } from './work.ts';

/** Milliseconds for what is expected to be answered, and for what is not. */
const PATIENCE = 2000;
const BRIEF = 200;

type Placed = Question & { at: number };

function carryOut({ namespaces, questions }: Plan): Answers {
  const answers: Answers = questions.map(() => null);
  const placed = questions.map((question, at) => ({ ...question, at }));
  const works: Work[] = [];
  for (const [name, group] of Object.entries(Object.groupBy(placed, ({ from }) => from))) {
    if (enter(namespaces[name] ?? '')) works.push(...begin(group ?? [], answers));
  }
  const start = performance.now();
  for (;;) {
    const now = performance.now();
    for (const work of works) work.tick(now);
    const waiting = placed.some(
      ({ at, expected, kind }) => expected && kind !== 'bind' && answers[at] === null,
    );
    const hoping = placed.some(({ expected, kind }) => !expected && kind !== 'bind');
    if (now - start > (waiting ? PATIENCE : hoping ? BRIEF : 0)) break;
    const ready = poll(
      works.filter(({ fd, events }) => fd >= 0 && events !== 0),
      20,
    );
    for (const work of works) if (ready.has(work.fd)) work.ready();
  }
  for (const work of works) work.end();
  return answers;
}

function enter(path: string): boolean {
  try {
    const fd = openSync(path, 'r');
    try {
      return setns(fd) === 0;
    } finally {
      closeSync(fd);
    }
  } catch {
    return false; // The container has ended meanwhile.
  }
}

/** Begins all that is asked from the namespace that the thread is in. */
function begin(group: readonly Placed[], answers: Answers): Work[] {
  const works: Work[] = [];
  const pings = group.filter(({ kind }) => kind === 'ping');
  for (const family of Object.values(Object.groupBy(pings, ({ address }) => String(domainOf(address))))) {
    const tell = (at: number, answer: string): void => {
      answers[at] = answer;
    };
    if (family?.[0] !== undefined) works.push(new Pinging(family, process.pid & 0xffff, tell));
  }
  for (const question of group) {
    if (question.kind === 'bind') answers[question.at] = tryBind(question);
    const tell = (answer: string): void => {
      answers[question.at] = answer;
    };
    if (question.kind === 'ask') works.push(new Asking(question, tell));
    if (question.kind === 'knock') works.push(new Knocking(question, tell));
  }
  return works;
}

function tryBind({ address, port, protocol }: Question): string {
  const fd = socket(domainOf(address), protocol === 'udp' ? SOCK_DGRAM : SOCK_STREAM);
  if (address.includes(':')) only6(fd);
  // In UDP it would be bound beside others that have it set.
  if (protocol === 'tcp') reuseAddress(fd);
  const bound = bind(fd, sockaddr(address, port));
  close(fd);
  return bound === 0 ? 'free' : String(-bound);
}

const plan = JSON.parse(readFileSync(0, 'utf8')) as Plan;
process.stdout.write(JSON.stringify(carryOut(plan)));
