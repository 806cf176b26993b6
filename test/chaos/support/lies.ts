import type { JudgeTarget } from '../../../chaos/judge/judge.ts';
import type { WorldContainer } from '../../../chaos/world/types.ts';
import type { Host } from '../../lab/host.ts';
import type { JudgedHost } from './judged-host.ts';

/** What the lies below make the judge find: rule and part of the subject. */
export const LIES = [
  ['network-lost', 'dreamt'],
  ['network-unknown', 'guests'],
  ['container-lost', 'dreamt1'],
  ['container-unknown', 'own1'],
  ['container-state', 'halted'],
  ['attachment-lost', 'web1'],
  ['attachment-unknown', 'web2'],
  ['address-not-given', 'plain1'],
  ['endpoint-phantom', 'int'],
  ['parent-missing', 'self'],
  ['container-unreadable', 'alone1'],
  ['engine-log-error', 'dockerd'],
  ['engine-crashed', 'dockerd'],
  ['call-not-in-time', 'dockerd'],
  ['call-not-in-time', 'docker run'],
  ['call-not-in-time', 'tsnet'],
  ['daemon-log-error', 'tsnet'],
  ['boot-not-in-time', 'boot 1'],
] as const;

/** A target whose world, engine and logs say what is not so. */
export function lyingTarget(host: JudgedHost): JudgeTarget {
  const networks = new Map(host.networks);
  const containers = new Map(host.containers);
  const change = (name: string, part: Partial<WorldContainer>): void => {
    const container = host.containers.get(name);
    if (container !== undefined) containers.set(name, { ...container, ...part, name });
  };
  networks.set('dreamt', {
    name: 'dreamt',
    mode: 'bridge',
    subnet4: '198.18.50.0/24',
    ipam: 'default',
    uncertain: false,
  });
  networks.delete('guests');
  const [some] = host.containers.values();
  if (some !== undefined) containers.set('dreamt1', { ...some, name: 'dreamt1' });
  containers.delete('own1');
  change('halted', { state: 'running' });
  change('web1', {
    attachments: new Map([
      ['web', undefined],
      ['plain', undefined],
    ]),
  });
  change('web2', { attachments: new Map([['web', undefined]]) });
  change('plain1', { attachments: new Map([['plain', '198.18.11.99']]) });
  const truth = host.target();
  return {
    ...truth,
    world: { networks, containers },
    host: lyingHost(truth.host),
    daemon: { ...truth.daemon, log: () => OWN_LOG },
    boots: [
      { what: 'boot 1', ms: 4000, without: 1500 },
      { what: 'boot 2', ms: 3000, without: 1500 },
    ],
    calls: [
      { what: 'docker run', ms: 31_000, limit: 30_000 },
      { what: 'docker rm', ms: 100, limit: 30_000 },
    ],
  };
}

const LOG = `time="2026-01-01T00:00:00Z" level=info msg="plugin tsnet is fine"
time="2026-01-01T00:00:00Z" level=error msg="failed" error="NetworkDriver.Leave: INTERNAL: something broke"
time="2026-01-01T00:00:00Z" level=warning msg="Unable to connect to plugin: /run/docker/plugins/tsnet.sock, retrying in 1s"
time="2026-01-01T00:00:00Z" level=warning msg="some snapshotter is not configured"
panic: runtime error: index out of range
`;

const OWN_LOG = `2026-01-01T00:00:00.000Z ERROR something broke
2026-01-01T00:00:00.000Z WARN  NetworkDriver.Join ended after its deadline outcome=ok ms=26000
2026-01-01T00:00:00.000Z WARN  NetworkDriver.Join outcome=PORT_TAKEN ms=2
`;

/** A target whose engine does not answer. */
export function silentTarget(host: JudgedHost): JudgeTarget {
  const truth = host.target();
  return { ...truth, host: altered(truth.host, { api: () => Promise.reject(new Error('ECONNREFUSED')) }) };
}

/** A host whose engine's API has changed words in it. */
function lyingHost(host: Host): Host {
  const api: Host['api'] = async (...call) => {
    const answer = await host.api(...call);
    distort(answer.body);
    return answer;
  };
  return altered(host, { api, engineOutput: () => LOG });
}

function altered(host: Host, lies: Partial<Host>): Host {
  return new Proxy(host, {
    get(target, name) {
      const lie = lies[name as keyof Host];
      if (lie !== undefined) return lie;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

interface Answer {
  Name?: string;
  Options?: Record<string, string>;
  Containers?: Record<string, unknown>;
  State?: { Pid: number };
}

function distort(body: unknown): void {
  const answer = body as Answer;
  if (answer.Name === 'int' && answer.Containers)
    answer.Containers['ep-phantom'] = { EndpointID: 'c'.repeat(64) };
  if (answer.Name === 'self' && answer.Options) answer.Options['parent'] = 'none7';
  if (answer.Name === '/alone1' && answer.State) answer.State.Pid = 2 ** 22 - 1;
}
