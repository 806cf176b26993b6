import type { State } from '../driver/state.ts';
import { TsnetError } from '../errors.ts';
import { endpointMark, isMarked, networkMark, shimMark } from '../host-state/mark.ts';
import { Rtnetlink } from '../kernel/rtnetlink/rtnetlink.ts';
import { describeIdentity, type Identity } from './identity.ts';

const MOST_NAMES = 8;

/**
 * Keeps a tsnet that takes over from removing what is not its own: a link that bears tsnet's mark and is in no record would
 * be removed at the start, and the containers of the one before may still be using it.
 * @param former who has served the host until now; undefined where nobody has been met who could say
 * @throws TsnetError INSTANCE_LEFT with the names of the links, STATE_* while the store cannot be read
 */
export async function refuseLeftLinks(state: State, former: Identity | undefined): Promise<void> {
  const networks = state.networks();
  const own = new Set(networks.flatMap(({ id, base }) => [networkMark(id), shimMark(base.link)]));
  const ends = networks.map(({ id }) => endpointMark(id, ''));
  using rtnetlink = Rtnetlink.open(undefined, 1);
  const left = (await rtnetlink.links()).filter(
    ({ alias = '' }) => isMarked(alias) && !own.has(alias) && !ends.some(end => alias.startsWith(end)),
  );
  if (left.length === 0) return;
  const names = left.slice(0, MOST_NAMES).map(link => link.name);
  const more = left.length > names.length ? ` and ${left.length - names.length} more` : '';
  const who = former === undefined ? 'another tsnet' : describeIdentity(former);
  throw new TsnetError('INSTANCE_LEFT', `${who} has ended and has left the links ${names.join(', ')}${more}`);
}
