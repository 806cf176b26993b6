import { TsnetError } from '../../errors.ts';
import type { FirewallElement } from '../../host-state/types.ts';
import { NETLINK_NETFILTER } from '../netlink/constants.ts';
import { Gate } from '../netlink/gate.ts';
import { hasCode } from '../netlink/netlink-error.ts';
import { NetlinkSocket, type Request } from '../netlink/socket.ts';
import { elementMessages } from './element-messages.ts';

/**
 * Changes elements of the table's sets by netlink messages of its own. libnftables would read the whole table's sets and chains anew
 * for each change, one request after the other, and the text of every port.
 */
export class Elements {
  readonly #socket: NetlinkSocket;
  readonly #turn = new Gate(1);
  #closed = false;

  /**
   * Opens a socket in the calling thread's network namespace.
   * @throws TsnetError FIREWALL when the kernel has no NETLINK_NETFILTER or lets no socket be opened
   */
  constructor() {
    try {
      this.#socket = NetlinkSocket.open(undefined, NETLINK_NETFILTER);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new TsnetError('FIREWALL', `no netfilter netlink socket can be opened: ${reason}`, { cause });
    }
  }

  /** Netlink port id of its changes; see watch.ts. */
  get port(): number | undefined {
    return this.#closed ? undefined : this.#socket.port;
  }

  /**
   * Takes elements out of and puts elements into the table's sets, in one transaction: all of it or, when something is refused, nothing.
   * An element that is gone may be taken out, and one that is there with the same value may be added; what stands in both lists
   * is there afterwards. So to replace the value of one is to take it out and to add it.
   * @throws TsnetError FIREWALL where the kernel refuses; as checkElement() of elements.ts; NetlinkError when the socket fails
   */
  async change(add: readonly FirewallElement[], remove: readonly FirewallElement[]): Promise<void> {
    const refusal = await this.#send(elementMessages(add, remove));
    if (refusal === undefined) return;
    // What goes is nearly always there; only otherwise it is added first.
    const isGone = remove.length > 0 && hasCode(refusal, 'ENOENT');
    const again = isGone ? await this.#send(elementMessages(add, remove, { addFirst: true })) : refusal;
    if (again !== undefined) throw new TsnetError('FIREWALL', again.message, { cause: again });
  }

  /** Waits for the change under way; later ones are refused. May be called twice. */
  close(): Promise<void> {
    return this.#turn.run(async () => {
      if (!this.#closed) this.#socket.close();
      this.#closed = true;
    });
  }

  /** @returns the first refusal */
  async #send(requests: readonly Request[]) {
    if (requests.length === 0) return undefined;
    const { refusals } = await this.#turn.run(() => {
      if (this.#closed) throw new TsnetError('FIREWALL', 'the nftables context is closed');
      return this.#socket.batch(requests, 'nftables');
    });
    return refusals[0];
  }
}
