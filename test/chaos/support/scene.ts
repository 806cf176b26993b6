import type { Look } from '../../../chaos/judge/look.ts';

/** What things of a populated host are called, for scripts that do something to them. */
export class Scene {
  readonly #look: Look;

  constructor(look: Look) {
    this.#look = look;
  }

  networkId(network: string): string {
    return found(
      this.#look.promises.networks.find(({ name }) => name === network),
      network,
    ).id;
  }

  /** The host's link that a network hangs on. */
  link(network: string): string {
    const { link } = found(
      this.#look.promises.networks.find(({ name }) => name === network),
      network,
    );
    return found(link, network).name;
  }

  /** The shim on a parent. */
  shim(parent: string): string {
    return this.#marked(`tsnet:shim:${parent}`);
  }

  /** The host's end of a container's pair. */
  port(container: string, network: string): string {
    return this.#marked(this.alias(container, network));
  }

  /** The mark of that. */
  alias(container: string, network: string): string {
    return `tsnet:${this.networkId(network)}:${this.endpointId(container, network)}`;
  }

  endpointId(container: string, network: string): string {
    return this.#endpoint(container, network).endpointId;
  }

  mac(container: string, network: string): string {
    return this.#endpoint(container, network).mac;
  }

  /** CIDR. */
  cidr(container: string, network: string, family: 4 | 6 = 4): string {
    const { addresses } = this.#endpoint(container, network);
    return found(
      addresses.find(address => address.includes(':') === (family === 6)),
      container,
    );
  }

  /** Bare. */
  address(container: string, network: string, family: 4 | 6 = 4): string {
    return this.cidr(container, network, family).split('/')[0] ?? '';
  }

  /** What goes before a command that is to run in a container's network namespace. */
  inside(container: string): string {
    const { pid } = found(
      this.#look.engine.containers.find(({ name }) => name === container),
      container,
    );
    return `nsenter -t ${pid} -n`;
  }

  /** What the container calls its interface on a network. */
  interface(container: string, network: string): string {
    const links = this.#look.kernel.containers.get(container)?.links;
    return found(
      links?.find(({ mac }) => mac === this.mac(container, network)),
      container,
    ).name;
  }

  #endpoint(container: string, network: string) {
    return found(
      this.#look.promises.endpoints.find(one => one.container.name === container && one.on.name === network),
      `${container} on ${network}`,
    );
  }

  #marked(alias: string): string {
    return found(
      this.#look.kernel.host.links.find(link => link.alias === alias),
      alias,
    ).name;
  }
}

function found<T>(thing: T | undefined, name: string): T {
  if (thing === undefined) throw new Error(`there is no ${name}`);
  return thing;
}
