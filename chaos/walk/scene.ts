import { join } from 'node:path';
import type { Host } from '../../test/lab/host.ts';
import type { LabNode } from '../../test/lab/node.ts';
import { TsnetDaemon } from '../campaign/tsnet-daemon.ts';
import type { World, WorldContainer, WorldNetwork } from '../world/types.ts';
import { FailPoints } from './fail-points.ts';
import type { ContainerPlan, NetworkPlan } from './plans.ts';
import { createArguments, runArguments } from './plans.ts';
import { Supervisor } from './supervisor.ts';

/** What came of a command of docker. */
export interface Answer {
  readonly ok: boolean;
  readonly words: string;
  /** Milliseconds. */
  readonly ms: number;
}

/** What the engine has forgotten is removed as soon as it can be: every death would be waited for otherwise. */
const HASTY = { TSNET_ORPHAN_GRACE: '1' };
/** Milliseconds after which a command is held to be never answered: the engine gives a driver 30 s a call. */
const NEVER = 120_000;
const GONE = /no such (container|network)|network \S+ not found|is not connected to/i;

/** A host with tsnet, and what `docker` has been told to make on it. Each step may be asked for again when it was refused. */
export class Scene {
  readonly host: Host;
  /** A machine on the host's LAN. */
  readonly lan: LabNode;
  readonly daemon: TsnetDaemon;
  readonly points: FailPoints;
  readonly supervisor: Supervisor;
  readonly #networks = new Map<string, WorldNetwork>();
  readonly #containers = new Map<string, WorldContainer>();

  /** @param program the daemon's executable, as the host sees it */
  constructor(host: Host, lan: LabNode, program: string) {
    this.host = host;
    this.lan = lan;
    this.daemon = new TsnetDaemon(host, program);
    this.points = new FailPoints(join(host.dir, 'fail-points'));
    this.supervisor = new Supervisor(this.daemon, { ...this.points.env, ...HASTY });
  }

  get world(): World {
    return { networks: this.#networks, containers: this.#containers };
  }

  async docker(...args: readonly string[]): Promise<Answer> {
    const began = performance.now();
    const { exitCode, stdout, stderr, timedOut } = await this.host.dockerWith({ timeout: NEVER }, ...args);
    const words = timedOut ? `no answer within ${NEVER} ms` : `${stderr}${stdout}`.trim();
    return { ok: exitCode === 0, words, ms: performance.now() - began };
  }

  create(plan: NetworkPlan): Promise<Answer> {
    this.#networks.set(plan.name, { ...plan.world, uncertain: true });
    return this.#certainly(['network', 'create', ...createArguments(plan)], () =>
      this.#networks.set(plan.name, plan.world),
    );
  }

  removeNetwork({ name, world }: NetworkPlan): Promise<Answer> {
    this.#networks.set(name, { ...world, uncertain: true });
    return this.#certainly(['network', 'rm', name], () => this.#networks.delete(name));
  }

  /** A container that could not be started is there all the same, and is in the way of a second attempt. */
  async run(plan: ContainerPlan): Promise<Answer> {
    const was = this.#containers.get(plan.name);
    if (was !== undefined) await this.docker('rm', '-f', plan.name);
    const now: WorldContainer = {
      name: plan.name,
      state: 'running',
      restarts: plan.restarts === true,
      attachments: new Map([[plan.network, undefined]]),
      ports: plan.ports ?? [],
      uncertain: false,
    };
    this.#containers.set(plan.name, { ...now, uncertain: true });
    return this.#certainly(['run', ...runArguments(plan)], () => this.#containers.set(plan.name, now));
  }

  remove(name: string): Promise<Answer> {
    return this.#change(name, ['rm', '-f', name], () => this.#containers.delete(name));
  }

  stop(name: string): Promise<Answer> {
    return this.#change(name, ['stop', name], was =>
      this.#containers.set(name, { ...was, state: 'stopped' }),
    );
  }

  start(name: string): Promise<Answer> {
    return this.#change(name, ['start', name], was =>
      this.#containers.set(name, { ...was, state: 'running' }),
    );
  }

  restart(name: string): Promise<Answer> {
    return this.#change(name, ['restart', name], was =>
      this.#containers.set(name, { ...was, state: 'running' }),
    );
  }

  connect(name: string, network: string): Promise<Answer> {
    return this.#change(name, ['network', 'connect', network, name], was => {
      const attachments = new Map(was.attachments).set(network, undefined);
      this.#containers.set(name, { ...was, attachments });
    });
  }

  disconnect(name: string, network: string): Promise<Answer> {
    return this.#change(name, ['network', 'disconnect', network, name], was => {
      const attachments = new Map(was.attachments);
      attachments.delete(network);
      this.#containers.set(name, { ...was, attachments });
    });
  }

  /** Takes everything away, whatever may be left. @returns what docker refused */
  async wipe(): Promise<string[]> {
    const refusals: string[] = [];
    for (const name of this.#containers.keys()) refusals.push(...refusal(await this.remove(name)));
    for (const [name, world] of this.#networks)
      refusals.push(...refusal(await this.removeNetwork({ name, world })));
    return refusals;
  }

  /** Stops the engine, by a signal, and starts it again. @param args of dockerd */
  async restartEngine(how: 'TERM' | 'KILL', args: readonly string[] = []): Promise<Answer> {
    const began = performance.now();
    const [ok, words] = await this.host
      .stopEngine(how)
      .then(() => this.host.startEngine(args))
      .then(() => this.#asleep())
      .then(names => [names.length === 0, `not started: ${names.join(', ')}`] as const)
      .catch((error: unknown) => [false, String(error)] as const);
    return { ok, words, ms: performance.now() - began };
  }

  /** Starts the engine where it has ended as it started, and the containers that it did not start again. */
  async startAll(args: readonly string[] = []): Promise<Answer> {
    const there = await this.docker('version');
    if (!there.ok) await this.host.startEngine(args);
    const names = await this.#asleep();
    return names.length === 0 ? this.docker('version') : this.docker('start', ...names);
  }

  /** Containers that are to run and do not. An engine has started what it starts at its boot before it answers. */
  async #asleep(): Promise<string[]> {
    const { words } = await this.docker('ps', '--format', '{{.Names}}');
    const running = words.split('\n');
    return [...this.#containers.values()]
      .filter(({ name, state }) => state === 'running' && !running.includes(name))
      .map(({ name }) => name);
  }

  #change(name: string, args: readonly string[], done: (was: WorldContainer) => void): Promise<Answer> {
    const was = this.#containers.get(name);
    if (was === undefined) return Promise.resolve({ ok: true, words: '', ms: 0 });
    this.#containers.set(name, { ...was, uncertain: true });
    return this.#certainly(args, () => done({ ...was, uncertain: false }));
  }

  /** What was to be taken away and is not there is as it should be. */
  async #certainly(args: readonly string[], done: () => void): Promise<Answer> {
    const answer = await this.docker(...args);
    const isRemoval = args.includes('rm') || args.includes('disconnect');
    const ok = answer.ok || (isRemoval && GONE.test(answer.words));
    if (ok) done();
    return { ...answer, ok };
  }
}

const refusal = ({ ok, words }: Answer): string[] => (ok ? [] : [words]);
