import { constants } from 'node:os';
import type { Link } from '../../host-state/types.ts';
import type { LinkInfo } from '../link-info.ts';
import { NLM_F_CREATE, NLM_F_EXCL } from '../netlink/constants.ts';
import { Gate } from '../netlink/gate.ts';
import { hasCode, NetlinkError } from '../netlink/netlink-error.ts';
import type { SocketPool } from '../netlink/pool.ts';
import { RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK } from './constants.ts';
import { decodeLink } from './link-reply.ts';
import {
  changeLink,
  finishingSettings,
  getLink,
  type LinkSettings,
  linkHeader,
  newLink,
  type RelatedLinks,
} from './link-request.ts';
import { UNFINISHED_ALIAS } from './unfinished.ts';

/**
 * Deletions in flight at a time. Each waits 16 to 36 ms for RCU, together as long as alone; the limit leaves sockets
 * and threads to other requests.
 */
const PARALLEL_DELETIONS = 16;

/** Requests about links; see Rtnetlink for what each promises. */
export class Links {
  readonly #pool: SocketPool;
  readonly #deletions = new Gate(PARALLEL_DELETIONS);

  constructor(pool: SocketPool) {
    this.#pool = pool;
  }

  async list(): Promise<LinkInfo[]> {
    const operation = 'RTM_GETLINK dump';
    const messages = await this.#pool.dump({ type: RTM_GETLINK, payload: getLink(), operation });
    return messages.map(message => decodeLink(message.payload)).filter(link => link !== undefined);
  }

  async get(which: string | number): Promise<LinkInfo | undefined> {
    const payload = getLink(typeof which === 'string' ? { name: which } : { index: checked(which) });
    try {
      const [answer] = await this.#pool.request({
        type: RTM_GETLINK,
        payload,
        operation: `RTM_GETLINK ${which}`,
      });
      return answer && decodeLink(answer.payload);
    } catch (error) {
      if (hasCode(error, 'ENODEV')) return undefined;
      throw error;
    }
  }

  async add(link: Link, related: RelatedLinks): Promise<number> {
    const resolved = await this.#resolve(link, related);
    try {
      await this.#create(link, resolved);
    } catch (error) {
      const existing = hasCode(error, 'EEXIST') ? await this.get(link.name) : undefined;
      if (existing?.alias !== UNFINISHED_ALIAS) throw error;
      await this.delete(existing.index);
      await this.#create(link, resolved);
    }
    const created = await this.get(link.name);
    if (!created) throw new NetlinkError(constants.errno.ENODEV, `RTM_NEWLINK ${link.name}`, 'gone at once');
    try {
      await this.#finish(created.index, link);
    } catch (error) {
      // Its own failure is of no interest beside the first one; a link left so is known as unfinished.
      await this.delete(created.index).catch(() => undefined);
      throw error;
    }
    return created.index;
  }

  async set(index: number, settings: LinkSettings, name = String(index)): Promise<void> {
    const payload = changeLink(checked(index), settings);
    await this.#pool.request({ type: RTM_NEWLINK, payload, operation: `RTM_NEWLINK change ${name}` });
  }

  async delete(index: number): Promise<void> {
    const payload = linkHeader(checked(index));
    try {
      await this.#deletions.run(() =>
        this.#pool.request({ type: RTM_DELLINK, payload, operation: `RTM_DELLINK ${index}` }),
      );
    } catch (error) {
      if (!hasCode(error, 'ENODEV')) throw error;
    }
  }

  async #create(link: Link, related: RelatedLinks): Promise<void> {
    await this.#pool.request({
      type: RTM_NEWLINK,
      flags: NLM_F_CREATE | NLM_F_EXCL,
      payload: newLink(link, related),
      operation: `RTM_NEWLINK ${link.name}`,
    });
  }

  async #finish(index: number, link: Link): Promise<void> {
    if (link.noLinkLocal) {
      try {
        await this.set(index, { noLinkLocal: true }, link.name);
      } catch (error) {
        // A host without IPv6 makes no link-local addresses either.
        if (!hasCode(error, 'EAFNOSUPPORT')) throw error;
      }
    }
    await this.set(index, finishingSettings(link), link.name);
  }

  async #resolve(link: Link, related: RelatedLinks): Promise<RelatedLinks> {
    if (link.kind === 'veth' && link.master !== undefined) {
      return { master: related.master ?? (await this.#indexOf(link.master, link.name)) };
    }
    if (link.kind === 'macvlan') {
      return { parent: related.parent ?? (await this.#indexOf(link.parent, link.name)) };
    }
    return {};
  }

  async #indexOf(name: string, user: string): Promise<number> {
    const link = await this.get(name);
    if (link) return link.index;
    throw new NetlinkError(constants.errno.ENODEV, `RTM_NEWLINK ${user}`, `there is no link ${name}`);
  }
}

/** Index 0 means "all of a group" in some messages. */
function checked(index: number): number {
  if (!Number.isInteger(index) || index < 1) throw new RangeError(`no link index: ${index}`);
  return index;
}
