import { execa } from 'execa';
import { containerLinkName } from '../../../src/host-state/names.ts';
import type { Answer, FuzzRequest } from '../request.ts';

/** What an engine does with the links that it is given: it moves them into sandboxes, and out of them again. */
export class Containers {
  /** Endpoints whose link is in a sandbox, with that one's name. */
  readonly #moved = new Map<string, string>();

  /** @param endpoints ids of those that the store has */
  async follow(request: FuzzRequest, answer: Answer, endpoints: () => ReadonlySet<string>): Promise<void> {
    if (answer.status !== 200) return;
    if (request.path === '/NetworkDriver.Join') await this.#moveIn(request, answer);
    if (request.path === '/NetworkDriver.Leave') {
      const { EndpointID } = JSON.parse(request.body) as { EndpointID: string };
      await this.#take(EndpointID, 'out');
    }
    if (!/Driver\.Delete/.test(request.path)) return;
    const left = endpoints();
    for (const id of [...this.#moved.keys()]) if (!left.has(id)) await this.#take(id, 'away');
  }

  async #moveIn({ body }: FuzzRequest, { text }: Answer): Promise<void> {
    const { EndpointID, SandboxKey } = JSON.parse(body) as Record<'EndpointID' | 'SandboxKey', string>;
    const { SrcName } = (JSON.parse(text) as { InterfaceName: { SrcName: string } }).InterfaceName;
    const name = /^\/run\/netns\/(\w+)$/.exec(SandboxKey)?.[1];
    if (SrcName === '' || name === undefined) return;
    const { failed } = await execa('ip', ['link', 'set', SrcName, 'netns', name], { reject: false });
    if (!failed) this.#moved.set(EndpointID, name);
  }

  async #take(endpointId: string, where: 'out' | 'away'): Promise<void> {
    const sandbox = this.#moved.get(endpointId);
    if (sandbox === undefined) return;
    this.#moved.delete(endpointId);
    const link = containerLinkName(endpointId);
    // By this process's number: it is in the namespace that stands for the host.
    const step = where === 'out' ? ['set', link, 'netns', String(process.pid)] : ['delete', link];
    // Gone with its other end, perhaps.
    await execa('ip', ['-n', sandbox, 'link', ...step], { reject: false });
  }
}
