import { Firewalld } from '../host-firewall/firewalld.ts';
import { describe, type Op } from '../host-state/ops.ts';
import { type LinuxKernel, linuxKernel } from '../kernel/linux.ts';
import { removeDockerUser } from '../kernel/nft/docker-user.ts';
import { Nft } from '../kernel/nft/nft.ts';
import { readTable, removeTable } from '../kernel/nft/table.ts';
import { Rtnetlink } from '../kernel/rtnetlink/rtnetlink.ts';
import { stepsToNothing, strangersLinks } from './remains.ts';
import type { Saved } from './saved.ts';

/** What a purge has to do, looked up ahead of it. */
export interface Remains {
  readonly steps: readonly Op[];
  /** Links of networks that the state does not know. */
  readonly strangers: readonly string[];
  readonly hasTable: boolean;
  /** Bridges that firewalld may have been told of. */
  readonly bridges: readonly string[];
}

/** The host as a purge sees it: opened once, for looking and removing. */
export class Host implements AsyncDisposable {
  readonly #rtnetlink = Rtnetlink.open();
  readonly #nft: Nft;
  readonly #kernel: LinuxKernel;
  readonly #failures: unknown[] = [];

  /** @throws TsnetError FIREWALL where nftables cannot be used */
  constructor() {
    this.#nft = Nft.open({ port: false });
    this.#kernel = linuxKernel(this.#rtnetlink, this.#nft, { onError: error => this.#failures.push(error) });
  }

  /** @throws TsnetError KERNEL, FIREWALL */
  async look(saved: Saved): Promise<Remains> {
    return {
      steps: await stepsToNothing(this.#kernel, saved),
      strangers: await strangersLinks(this.#kernel, saved),
      hasTable: (await readTable(this.#nft)).skeleton !== 'absent',
      bridges: saved.networks.flatMap(({ base }) =>
        base.kind === 'own' && base.type === 'bridge' ? [base.link] : [],
      ),
    };
  }

  /**
   * Removes links ahead of the rules that guard them, and goes on past what fails.
   * @returns what was removed, a line each
   * @throws AggregateError of all that failed
   */
  async remove(remains: Remains): Promise<string[]> {
    const { steps, bridges } = remains;
    const kernel = this.#kernel;
    let there = bridges;
    const zones = new Firewalld(() => there);
    await this.#attempt(() => zones.settle());
    await this.#attempt(() => kernel.apply(steps, { context: 'purge', teardown: true }));
    await this.#attempt(() => kernel.close());
    there = [];
    await this.#attempt(() => zones.settle());
    await this.#attempt(() => removeTable(this.#nft));
    const dockerUser = await this.#attempt(() => removeDockerUser(this.#nft));
    if (dockerUser?.problem !== undefined) this.#failures.push(new Error(dockerUser.problem));
    if (this.#failures.length > 0) throw new AggregateError(this.#failures);
    return [
      ...describeRemains(remains),
      ...(dockerUser?.changed === true ? ['the rule in DOCKER-USER'] : []),
    ];
  }

  async #attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      this.#failures.push(error);
      return undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kernel.close();
    await this.#nft.close();
    this.#rtnetlink.close();
  }
}

/** What is there, a line each: `link tsb1f0c…`, `route 10.0.0.5/32 dev tss…` */
export const describeRemains = ({ steps, hasTable }: Remains): string[] => [
  ...steps.filter(({ op }) => op !== 'flows.forget').map(step => describe(step).slice(1)),
  ...(hasTable ? ['the table inet tsnet'] : []),
];
