import {
  DOCKER_FAMILIES,
  type DockerFamily,
  deleteDockerUser,
  findDockerUser,
  insertDockerUser,
  listDockerUser,
} from '../../firewall/docker-user.ts';
import { ensureLegacy, removeLegacy } from './docker-user-legacy.ts';
import { isMissing, type Nft } from './nft.ts';

export interface DockerUserOutcome {
  readonly changed: boolean;
  /** Why a chain that needs the rule, or has it when it should not, could not be changed; for the log. */
  readonly problem?: string;
}

/**
 * Sees to it that each DOCKER-USER chain has the rule once, at its top when it was not there. Where there is no
 * such chain nothing is done: without an engine, with the engine's nftables backend, or before it has started.
 * @throws TsnetError FIREWALL when nftables refuses
 */
export const ensureDockerUser = (nft: Nft): Promise<DockerUserOutcome> => each(nft, true, ensureLegacy);

/** Takes the rule out of every DOCKER-USER chain. @throws TsnetError FIREWALL when nftables refuses */
export const removeDockerUser = (nft: Nft): Promise<DockerUserOutcome> => each(nft, false, removeLegacy);

async function each(
  nft: Nft,
  wanted: boolean,
  legacy: (family: DockerFamily) => Promise<DockerUserOutcome>,
): Promise<DockerUserOutcome> {
  let changed = false;
  const problems: string[] = [];
  for (const family of DOCKER_FAMILIES) {
    if (await settle(nft, family, wanted)) changed = true;
    const outcome = await legacy(family);
    changed ||= outcome.changed;
    if (outcome.problem !== undefined) problems.push(outcome.problem);
  }
  return problems.length === 0 ? { changed } : { changed, problem: problems.join('; ') };
}

/** Brings the chain of the nft backend of iptables to one rule, or none. */
async function settle(nft: Nft, family: DockerFamily, wanted: boolean): Promise<boolean> {
  const listing = await nft.jsonIfExists(listDockerUser(family));
  if (listing === undefined) return false;
  const found = findDockerUser(listing);
  const commands = found.slice(wanted ? 1 : 0).map(handle => deleteDockerUser(family, handle));
  if (wanted && found.length === 0) commands.push(insertDockerUser(family));
  try {
    await nft.run(commands.join('\n'));
  } catch (error) {
    // The engine or an iptables-restore replaced the chain meanwhile; the watch tells of that and this runs again.
    if (isMissing(error)) return false;
    throw error;
  }
  return commands.length > 0;
}
