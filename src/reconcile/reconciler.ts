import { livenessOf } from '../driver/liveness.ts';
import { nameOfEndpoint } from '../driver/object-names.ts';
import type { Runner } from '../driver/runner.ts';
import { isUnwritable, type State } from '../driver/state.ts';
import { TsnetError } from '../errors.ts';
import { diff } from '../host-state/diff.ts';
import { endpointMark } from '../host-state/mark.ts';
import { merge } from '../host-state/merge.ts';
import { containerLinkName } from '../host-state/names.ts';
import { changesOf, hiddenLinks, type Op } from '../host-state/ops.ts';
import type { Observed, Redirect } from '../host-state/types.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Log } from '../log.ts';
import type { Endpoint, Network } from '../model.ts';
import { desiredEndpoint, desiredHost } from '../modes/desired.ts';
import type { HostFacts } from '../modes/mode.ts';
import { apartFromEngine } from './engine-bridges.ts';
import type { Expectations } from './expectations.ts';

export interface ReconcilerParts {
  readonly state: State;
  readonly runner: Runner;
  readonly kernel: Kernel;
  readonly expectations: Expectations;
  readonly log: Log;
  /** Asked before anything on the host is changed for the first time; what it throws keeps tsnet from that. */
  readonly mayBegin?: () => Promise<void>;
  /** Called when rows that say "to be removed" are left: the store cannot be written, or the kernel is long about it. */
  readonly undone?: () => void;
}

/**
 * Brings the host to what the store says: load, observe, diff, apply. The same run restores a rebooted host, finishes
 * what a killed process left half done, and mends what somebody removed by hand. It holds everything while it runs.
 */
export class Reconciler {
  readonly #parts: ReconcilerParts;
  #restored = false;
  #waiting: Promise<void> | undefined;
  #restoring: Promise<void> | undefined;

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when the host has been restored once since the start; restores it if that has not succeeded yet.
   * @throws TsnetError STATE_* while the store cannot be read: nothing on the host is touched then
   */
  async restored(): Promise<void> {
    if (this.#restored) return;
    // The daemon asks, and so does every call that comes meanwhile: each would make all others wait for a run of its own.
    this.#restoring ??= this.run('start').finally(() => {
      this.#restoring = undefined;
    });
    await this.#restoring;
  }

  /** Runs once; calls that come while one waits to begin share it. @param reason for the log */
  run(reason: string): Promise<void> {
    this.#waiting ??= this.#parts.runner.runAlone(() => {
      this.#waiting = undefined;
      return this.#reconcile(reason);
    });
    return this.#waiting;
  }

  async #reconcile(reason: string): Promise<void> {
    const { state, kernel, expectations, log, mayBegin } = this.#parts;
    const started = performance.now();
    // Before anything else: an unreadable store must not look like an empty one, or all would be removed.
    const networks = state.networks();
    if (!this.#restored) await mayBegin?.();
    const facts = await this.#facts(networks);
    if (!this.#restored) await this.#removeLeft();
    const doomed = this.#doomed();
    const { inside, onHost, gone } = await this.#dropLost();
    const desired = merge([
      desiredHost(networks, network => state.endpointsOf(network.id), facts),
      apartFromEngine(await kernel.links()),
    ]);
    const seen = await kernel.observe(desired);
    const moved = onHost.filter(endpoint => isMoved(endpoint, seen));
    const redirects = [...doomed, ...gone].flatMap(endpoint => this.#redirectsOf(endpoint, facts));
    const observed = withSandboxes(seen, [...inside, ...moved], state, facts, redirects);
    const ops = diff(desired, observed);
    let failure: unknown;
    try {
      await kernel.apply(ops, { context: `restore (${reason})`, teardown: true });
    } catch (error) {
      // A container that goes in the middle makes the steps fail that were for it.
      if ((await this.#dropLost()).lost > 0) return this.#reconcile(reason);
      failure = error;
    }
    expectations.reset(desired);
    if (failure === undefined) this.#forgetRemovedIfWritable(await this.#hiddenYet(ops));
    const opened = await kernel.openDockerUser();
    if (opened.problem !== undefined) log.warn(`DOCKER-USER: ${opened.problem}`);
    this.#restored = true;
    const changed = [...changesOf(ops), ...(opened.changed ? ['+rule in DOCKER-USER'] : [])];
    const ms = Math.round((performance.now() - started) * 10) / 10;
    if (failure !== undefined) log.error(`reconcile: ${String(failure)}`, { reason, changed, ms });
    else if (changed.length > 0 || reason === 'start') log.info('reconcile', { reason, changed, ms });
  }

  /** With the host's own firewall where a network asks for it; one that has been uninstalled stops nothing any more. */
  async #facts(networks: readonly Network[]): Promise<HostFacts> {
    const { kernel, log } = this.#parts;
    const links = new Set(networks.flatMap(({ base }) => (base.kind === 'foreign' ? [base.link] : [])));
    if (!networks.some(network => network.options.firewall === 'ufw')) return kernel.facts(links);
    try {
      return await kernel.facts(links, { guard: true });
    } catch (error) {
      if (!(error instanceof TsnetError) || error.code !== 'UFW_MISSING') throw error;
      log.warn(error.message);
      return kernel.facts(links);
    }
  }

  /**
   * Of endpoints that were left before this process began, DeleteEndpoint may have been heard by nobody: the engine repeats a
   * call that was cut off with an empty body (moby#35459). One whose link is still inside its container is yet to be deleted,
   * unless tsnet made it there: from there the engine takes nothing away.
   */
  async #removeLeft(): Promise<void> {
    const { state, kernel } = this.#parts;
    const left = state
      .networks()
      .flatMap(network => state.endpointsOf(network.id).filter(e => e.left === true));
    if (left.length === 0) return;
    const onHost = new Set((await kernel.links()).map(link => link.name));
    for (const endpoint of left) {
      if (endpoint.inside !== undefined || onHost.has(containerLinkName(endpoint.id)))
        state.giveUpEndpoint(endpoint);
    }
  }

  /** The endpoints that are to be removed. */
  #doomed(): Endpoint[] {
    const { state } = this.#parts;
    return state
      .networks()
      .flatMap(({ id, lifecycle }) =>
        state
          .endpointsOf(id)
          .filter(endpoint => lifecycle === 'deleting' || endpoint.lifecycle === 'deleting'),
      );
  }

  /**
   * What may be left of an endpoint in a sandbox that goes on without it. Nobody looks into sandboxes for what is not to be there; to remove
   * what is not there is no error.
   */
  #redirectsOf(endpoint: Endpoint, facts: HostFacts): readonly Redirect[] {
    const network = this.#parts.state.network(endpoint.networkId);
    return network === undefined ? [] : desiredEndpoint(asLive(network), asLive(endpoint), facts).redirects;
  }

  /** Forgets the endpoints whose containers are gone. @throws TsnetError STATE_*, but where the store cannot be written */
  async #dropLost(): Promise<Looked> {
    const { state, kernel, log } = this.#parts;
    const joined = state.networks().flatMap(network => state.endpointsOf(network.id).filter(e => e.joined));
    const inside: Endpoint[] = [];
    const onHost: Endpoint[] = [];
    const gone: Endpoint[] = [];
    let lost = 0;
    for (const [endpoint, liveness] of await livenessOf(joined, kernel)) {
      if (liveness === 'sandbox') inside.push(endpoint);
      if (liveness === 'host') onHost.push(endpoint);
      if (liveness !== 'lost') continue;
      gone.push(endpoint);
      const isForgotten = state.loseEndpoint(endpoint);
      if (isForgotten) log.info(`${nameOfEndpoint(endpoint)} is gone with its container and is forgotten`);
      else this.#parts.undone?.();
      // What is to be removed since an earlier look changes nothing by being found once more.
      if (isForgotten || endpoint.lifecycle === 'live') lost += 1;
    }
    return { inside, onHost, gone, lost };
  }

  /** Names of links in containers that the kernel is still deleting: only their rows lead there, should this process end before. */
  async #hiddenYet(ops: readonly Op[]): Promise<ReadonlySet<string>> {
    const hidden = hiddenLinks(ops);
    if (hidden.length === 0 || (await this.#parts.kernel.gone(hidden))) return new Set();
    this.#parts.undone?.();
    return new Set(hidden);
  }

  /** Rows that stay say to the next start what they have said to this one. */
  #forgetRemovedIfWritable(hidden: ReadonlySet<string>): void {
    try {
      this.#forgetRemoved(hidden);
    } catch (error) {
      if (!isUnwritable(error)) throw error;
      this.#parts.log.warn(String(error));
      this.#parts.undone?.();
    }
  }

  /** Rows that say "to be removed" have done their duty once the host bears nothing of them. */
  #forgetRemoved(hidden: ReadonlySet<string>): void {
    const { state } = this.#parts;
    for (const endpoint of this.#doomed())
      if (!hidden.has(containerLinkName(endpoint.id))) state.deleteEndpoint(endpoint);
    for (const network of state.networks()) {
      if (network.lifecycle === 'deleting' && state.endpointsOf(network.id).length === 0)
        state.deleteNetwork(network.id);
    }
  }
}

/** Where the links of joined endpoints are. */
interface Looked {
  /** In their containers, where an observation of the host cannot see them. */
  readonly inside: Endpoint[];
  readonly onHost: Endpoint[];
  /** Nowhere. */
  readonly gone: Endpoint[];
  /** How many were nowhere, and not known to be. */
  readonly lost: number;
}

/** The engine moves a link into its container when it likes, also between two looks: it is not to be made a second time. */
const isMoved = ({ networkId, id, lifecycle, left }: Endpoint, { links }: Observed): boolean =>
  lifecycle === 'live' && left !== true && !links.some(({ alias }) => alias === endpointMark(networkId, id));

/** A link inside its container is as it should be: only its presence matters, its settings are the engine's there. */
function withSandboxes(
  observed: Observed,
  inside: readonly Endpoint[],
  state: State,
  facts: HostFacts,
  redirects: readonly Redirect[],
): Observed {
  const links = inside.flatMap(endpoint => {
    const network = state.network(endpoint.networkId);
    // Also one that is to be removed: it is there until it is.
    return network === undefined ? [] : desiredEndpoint(asLive(network), asLive(endpoint), facts).links;
  });
  return {
    ...observed,
    links: [...observed.links, ...links],
    redirects: [...observed.redirects, ...redirects],
  };
}

const asLive = <T extends Endpoint | Network>(one: T): T => ({ ...one, lifecycle: 'live' });
