import { TsnetError } from '../../errors.ts';
import { TABLE } from '../../firewall/skeleton.ts';
import type { Redirect } from '../../host-state/types.ts';
import { within } from '../deadline.ts';
import { NamespaceError, NetworkNamespace } from '../netns.ts';
import { isMissing, Nft } from '../nft/nft.ts';
import { readListing } from './parse.ts';
import { renderRedirect, renderRemoval, renderTableRemoval } from './render.ts';

/** Milliseconds; a few are usual. */
const DEADLINE = 5000;

/**
 * Puts a container's ports into its sandbox, in one transaction. Nothing happens where the sandbox is not there (yet, or any
 * more).
 * @throws TsnetError FIREWALL when nftables refuses, NamespaceError when the namespace may not be entered
 */
export async function setRedirect(redirect: Redirect): Promise<void> {
  const commands = renderRedirect(redirect);
  await inSandbox(redirect.sandbox, nft => nft.run(commands));
}

/** Takes a container's ports out of its sandbox again; what is not there is no error. @throws as setRedirect() */
export async function removeRedirect(redirect: Redirect): Promise<void> {
  await inSandbox(redirect.sandbox, async nft => {
    const listing = await nft.jsonIfExists(`list table ${TABLE}`);
    if (listing === undefined) return;
    const { others } = readListing(listing, redirect);
    try {
      await nft.run(others ? renderRemoval(redirect) : renderTableRemoval());
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  });
}

/**
 * What of a redirect is in place.
 * @returns the redirect itself when its sandbox has all of it and no more; undefined otherwise: without sandbox, and where it
 *   cannot be read, so that no container keeps tsnet from looking at the rest of the host. Setting it will tell why
 */
export async function readRedirect(redirect: Redirect): Promise<Redirect | undefined> {
  try {
    const listing = await inSandbox(redirect.sandbox, nft => nft.jsonIfExists(`list table ${TABLE}`));
    return listing !== undefined && readListing(listing, redirect).whole ? redirect : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Runs an action with a context of its own for the sandbox, which is not kept: it would keep the namespace alive. A container
 * that may change its rules, and does so all the time, keeps libnftables listing them anew: hence the deadline.
 * @returns undefined when the path is gone or is no network namespace (any more)
 */
async function inSandbox<T>(path: string, action: (nft: Nft) => Promise<T>): Promise<T | undefined> {
  const nft = open(path);
  if (nft === undefined) return undefined;
  // Closing waits for what is under way, be it past the deadline.
  const work = action(nft).finally(() => nft.close());
  const late = () => new TsnetError('FIREWALL', `nftables in ${path} took longer than ${DEADLINE} ms`);
  return within(work, DEADLINE, late);
}

function open(path: string): Nft | undefined {
  let namespace: NetworkNamespace;
  try {
    namespace = NetworkNamespace.open(path);
  } catch (error) {
    if (error instanceof NamespaceError && error.problem !== 'denied') return undefined;
    throw error;
  }
  try {
    return namespace.run(() => Nft.open({ port: false }));
  } catch (error) {
    // A namespace of another kind.
    if (error instanceof NamespaceError && error.problem !== 'denied') return undefined;
    throw error;
  } finally {
    namespace.close();
  }
}
