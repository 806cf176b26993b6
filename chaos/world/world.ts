import type { World, WorldContainer, WorldNetwork } from './types.ts';

/** What an operation is about; two at a time never concern the same container, or make or remove a network in use. */
type Holder = 'exclusive' | number;

/** The world as the campaign writes it, with what operations in hand have laid their hands on. */
export class CampaignWorld implements World {
  readonly networks = new Map<string, WorldNetwork>();
  readonly containers = new Map<string, WorldContainer>();
  readonly #held = new Map<string, Holder>();

  /** Containers on a network, running or not. */
  on(network: string): WorldContainer[] {
    return [...this.containers.values()].filter(container => container.attachments.has(network));
  }

  isFree(name: string): boolean {
    return !this.#held.has(name);
  }

  /** Whether a network may be used besides those who use it already. */
  isShareable(network: string): boolean {
    return this.#held.get(network) !== 'exclusive';
  }

  /** Keeps others away. @returns what lets them come again */
  hold(exclusive: readonly string[], shared: readonly string[] = []): () => void {
    for (const name of exclusive) this.#held.set(name, 'exclusive');
    for (const name of shared) this.#held.set(name, Number(this.#held.get(name) ?? 0) + 1);
    return () => {
      for (const name of exclusive) this.#held.delete(name);
      for (const name of shared) {
        const others = Number(this.#held.get(name)) - 1;
        if (others > 0) this.#held.set(name, others);
        else this.#held.delete(name);
      }
    };
  }

  /** Marks what is there, or may be, as not known for certain. */
  doubt(container: string): void {
    const known = this.containers.get(container);
    if (known !== undefined) this.containers.set(container, { ...known, uncertain: true });
  }

  /** The same for a network. */
  doubtNetwork(network: string): void {
    const known = this.networks.get(network);
    if (known !== undefined) this.networks.set(network, { ...known, uncertain: true });
  }
}
