import {
  DOCKER_FAMILIES,
  DOCKER_USER,
  type DockerFamily,
  deleteMarkRule,
  dropsByPolicy,
  FORWARD,
  findMarkRules,
  insertMarkRule,
  listMarkRules,
  type MarkRuleChain,
} from '../../firewall/docker-user.ts';
import { ensureLegacy, removeLegacy } from './docker-user-legacy.ts';
import { isMissing, type Nft } from './nft.ts';

export interface DockerUserOutcome {
  readonly changed: boolean;
  /** Why a chain that needs the rule, or has it when it should not, could not be changed; for the log. */
  readonly problem?: string;
}

/**
 * Sees to it that each DOCKER-USER chain has the rule once, at its top when it was not there; where there is no such
 * chain, a FORWARD chain whose policy is DROP. Elsewhere nothing is done.
 * @throws TsnetError FIREWALL when nftables refuses
 */
export const ensureDockerUser = (nft: Nft): Promise<DockerUserOutcome> => each(nft, true, ensureLegacy);

/** Takes the rule out of every chain. @throws TsnetError FIREWALL when nftables refuses */
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

/** For the nft backend of iptables, and for whoever else has a table of that name. */
async function settle(nft: Nft, family: DockerFamily, wanted: boolean): Promise<boolean> {
  const dockerUser = await nft.jsonIfExists(listMarkRules(family, DOCKER_USER));
  const forward = await nft.jsonIfExists(listMarkRules(family, FORWARD));
  const inForward = wanted && dockerUser === undefined && dropsByPolicy(forward);
  const commands = [
    ...commandsFor(family, DOCKER_USER, dockerUser, wanted),
    ...commandsFor(family, FORWARD, forward, inForward),
  ];
  if (commands.length === 0) return false;
  try {
    await nft.run(commands.join('\n'));
  } catch (error) {
    // The engine or an iptables-restore replaced the chain meanwhile; the watch tells of that and this runs again.
    if (isMissing(error)) return false;
    throw error;
  }
  return true;
}

/** What brings a chain to one rule, or none. @param listing undefined where there is no such chain */
function commandsFor(
  family: DockerFamily,
  chain: MarkRuleChain,
  listing: unknown,
  wanted: boolean,
): string[] {
  if (listing === undefined) return [];
  const found = findMarkRules(listing);
  const commands = found.slice(wanted ? 1 : 0).map(handle => deleteMarkRule(family, chain, handle));
  if (wanted && found.length === 0) commands.push(insertMarkRule(family, chain));
  return commands;
}
