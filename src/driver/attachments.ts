import { familyOf } from '../addresses.ts';
import { TsnetError } from '../errors.ts';
import type { SandboxView } from '../kernel/sandbox/view.ts';
import type { Endpoint, Network } from '../model.ts';
import { present } from '../present.ts';
import { chooseInside, nextOfEngine, prefixForEngine } from './choose-inside.ts';
import type { Context } from './context.ts';
import { RestoredSandboxes } from './restored-sandboxes.ts';

/** Decides who puts interfaces into containers, and counts it. */
export class Attachments {
  /** Since the start of the process; see DaemonStatus. */
  readonly counts = { byEngine: 0, inside: 0, unopened: 0 };
  readonly restored: RestoredSandboxes;
  readonly #context: Pick<Context, 'kernel' | 'state'>;

  constructor(
    context: Pick<Context, 'kernel' | 'state'>,
    restored: RestoredSandboxes = new RestoredSandboxes(context.state),
  ) {
    this.#context = context;
    this.restored = restored;
  }

  /**
   * @param sandbox path of the sandbox, as Join names it; engines up to 27 name one that is not there yet when a container starts
   * @returns the name of the interface that tsnet is to make there; or, where the engine is to move one, the prefix of its name if
   *   it is not the network's
   * @throws TsnetError LINK_TAKEN where the engine would come to the name of an interface that tsnet has made; OPTION_CONFLICT
   *   where the interface is left to the engine and was to have a name that the engine does not come to
   */
  async choose(
    network: Network,
    endpoint: Endpoint,
    sandbox: string,
  ): Promise<Pick<Endpoint, 'inside' | 'prefix'>> {
    // The call is repeated, perhaps after it was cut off half way.
    if (endpoint.joined) return present({ inside: endpoint.inside, prefix: endpoint.prefix });
    const view = await this.#view(network, endpoint, sandbox);
    const siblings = this.#insideOf(sandbox, endpoint);
    const isRestored = this.restored.has(sandbox);
    const inside =
      view === undefined || isRestored ? undefined : chooseInside(network, endpoint, view, siblings);
    if (inside !== undefined) {
      this.counts.inside += 1;
      return { inside };
    }
    // An engine that has restarted counts what it has found.
    const uncounted = isRestored ? [] : siblings;
    const { ifname } = endpoint;
    const prefix = ifname === undefined ? undefined : prefixForEngine(ifname, view, uncounted);
    if (ifname !== undefined && prefix === undefined) refuseName(ifname, view, uncounted);
    refuseSameName(prefix ?? network.options.ifacePrefix, view, uncounted);
    this.counts.byEngine += 1;
    return present({ prefix });
  }

  async #view(network: Network, endpoint: Endpoint, sandbox: string): Promise<SandboxView | undefined> {
    if (network.options.attach === 'engine') return undefined;
    const families = [endpoint.address4, endpoint.address6].flatMap(cidr =>
      cidr === undefined ? [] : familyOf(cidr),
    );
    const view = await this.#context.kernel.viewSandbox(sandbox, families);
    if (view === undefined) this.counts.unopened += 1;
    return view;
  }

  /** Names of the interfaces that tsnet has made in a sandbox for other endpoints. */
  #insideOf(sandbox: string, { id }: Endpoint): string[] {
    const { state } = this.#context;
    return state
      .networks()
      .flatMap(network => state.endpointsOf(network.id))
      .filter(other => other.sandbox === sandbox && other.id !== id && other.lifecycle === 'live')
      .flatMap(({ inside }) => inside ?? []);
  }
}

/** An engine takes no name from a plugin, but for what stands before its own number. */
function refuseName(ifname: string, view: SandboxView | undefined, uncounted: readonly string[]): never {
  const possible = nextOfEngine(ifname.replace(/\d+$/, ''), view, uncounted);
  throw new TsnetError('OPTION_CONFLICT', `the container's interface cannot be named ${ifname}`, {
    remedy: `Name it ${possible}: the engine gives it its number; tsnet names one interface of a container by itself, from engine 28 on, or as it is connected.`,
  });
}

/** The engine would fail on it, in other words, and leave its link in the container. */
function refuseSameName(prefix: string, view: SandboxView | undefined, uncounted: readonly string[]): void {
  const name = nextOfEngine(prefix, view, uncounted);
  if (!uncounted.includes(name)) return;
  throw new TsnetError('LINK_TAKEN', `the container has an interface ${name}, made by tsnet`, {
    remedy:
      'Create one of the networks with -o attach=auto, or with a com.docker.network.container_iface_prefix of its own.',
  });
}
