import { constants } from 'node:os';
import type { Link } from '../../host-state/types.ts';
import type { LinkInfo } from '../link-info.ts';
import { NLM_F_CREATE, NLM_F_EXCL } from '../netlink/constants.ts';
import { Gate } from '../netlink/gate.ts';
import { hasCode, NetlinkError } from '../netlink/netlink-error.ts';
import type { SocketPool } from '../netlink/pool.ts';
import type { Request } from '../netlink/socket.ts';
import { NetworkNamespace } from '../netns.ts';
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

  /** @returns undefined where there is no such link */
  index(name: string): number | undefined {
    return this.#pool.index(name);
  }

  async get(which: string | number): Promise<LinkInfo | undefined> {
    // Most names that are asked for are free, and that is known without a request.
    if (typeof which === 'string' && this.index(which) === undefined) return undefined;
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
    const place = link.kind === 'veth' || link.kind === 'macvlan' ? link.place : undefined;
    const namespace = place === undefined ? undefined : NetworkNamespace.open(place.sandbox);
    try {
      const resolved = this.#resolve(link, related);
      const all = { ...resolved, ...(namespace === undefined ? {} : { place: namespace.fd }) };
      if (link.kind === 'macvlan' && link.place !== undefined) {
        await this.#create(link, all);
        return 0;
      }
      // In one go where the name is free. Nobody else takes it in between: it is made of a hash.
      if (this.index(link.name) === undefined) return await this.#finish(link, creation(link, all));
      await this.#create(link, all);
      return await this.#finish(link);
    } finally {
      namespace?.close();
    }
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

  /** What an attempt that was cut off has left is made anew. */
  async #create(link: Link, related: RelatedLinks): Promise<void> {
    const request = creation(link, related);
    try {
      await this.#pool.request(request);
    } catch (error) {
      const existing = hasCode(error, 'EEXIST') ? await this.get(link.name) : undefined;
      if (existing?.alias !== UNFINISHED_ALIAS) throw error;
      await this.delete(existing.index);
      await this.#pool.request(request);
    }
  }

  /**
   * Gives a new link what it cannot be created with, in one go: nobody else knows of its name yet.
   * @param create what makes it, where that has not been done
   */
  async #finish({ name, ...link }: Link, create?: Request): Promise<number> {
    const change = (settings: LinkSettings): Request => ({
      type: RTM_NEWLINK,
      payload: changeLink(name, settings),
      operation: `RTM_NEWLINK change ${name}`,
    });
    const { answers, refusals } = await this.#pool.batch([
      ...(create === undefined ? [] : [create]),
      { type: RTM_GETLINK, payload: getLink({ name }), operation: `RTM_GETLINK ${name}` },
      ...(link.noLinkLocal ? [change({ noLinkLocal: true })] : []),
      change(finishingSettings({ name, ...link })),
    ]);
    const [created] = answers.map(answer => decodeLink(answer.payload));
    // A host without IPv6 makes no link-local addresses either.
    const refusal = refusals.find(
      error => error.operation === create?.operation || !hasCode(error, 'EAFNOSUPPORT'),
    );
    if (created !== undefined && refusal === undefined) return created.index;
    if (refusal !== undefined && refusal.operation === create?.operation) throw refusal;
    // Its own failure is of no interest beside the first one; a link left so is known as unfinished.
    if (created !== undefined) await this.delete(created.index).catch(() => undefined);
    throw refusal ?? new NetlinkError(constants.errno.ENODEV, `RTM_NEWLINK ${name}`, 'gone at once');
  }

  #resolve(link: Link, related: RelatedLinks): RelatedLinks {
    if (link.kind === 'veth' && link.master !== undefined) {
      return { master: related.master ?? this.#indexOf(link.master, link.name) };
    }
    if (link.kind === 'macvlan') return { parent: related.parent ?? this.#indexOf(link.parent, link.name) };
    return {};
  }

  #indexOf(name: string, user: string): number {
    const index = this.index(name);
    if (index !== undefined) return index;
    throw new NetlinkError(constants.errno.ENODEV, `RTM_NEWLINK ${user}`, `there is no link ${name}`);
  }
}

/** The request that makes a link, unless there is one of the name. */
const creation = (link: Link, related: RelatedLinks): Request => ({
  type: RTM_NEWLINK,
  flags: NLM_F_CREATE | NLM_F_EXCL,
  payload: newLink(link, related),
  operation: `RTM_NEWLINK ${link.name}`,
});

/** Index 0 means "all of a group" in some messages. */
function checked(index: number): number {
  if (!Number.isInteger(index) || index < 1) throw new RangeError(`no link index: ${index}`);
  return index;
}
