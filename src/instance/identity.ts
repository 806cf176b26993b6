import { z } from 'zod';

/** What a tsnet says of itself to another one. Any process of the host can ask: nothing in it is a secret. */
export const Identity = z.object({
  kind: z.enum(['plugin', 'daemon']),
  /** Of a plugin the engine's id for it, 64 hexadecimal digits, where it knows that; of a daemon its process id. */
  id: z
    .string()
    .regex(/^\w{1,64}$/)
    .exactOptional(),
  version: z.string().regex(/^[\w.+-]{1,64}$/),
});
export type Identity = z.infer<typeof Identity>;

/** How a message names it: `the managed plugin 3f1c9a4b2d10 (tsnet 1.2.0)`. */
export function describeIdentity(identity: Identity | undefined): string {
  if (identity === undefined) return 'another tsnet, which did not say who it is,';
  const { kind, id, version } = identity;
  // Twelve digits are what `docker plugin ls` shows.
  const name =
    kind === 'plugin' ? `the managed plugin ${id?.slice(0, 12)}` : `the daemon with process id ${id}`;
  return `${id === undefined ? 'a managed plugin' : name} (tsnet ${version})`;
}

/** Whether it is the same installation: a plugin's process before this one. */
export const isSamePlugin = (a: Identity | undefined, b: Identity): boolean =>
  a?.kind === 'plugin' && b.kind === 'plugin' && a.id !== undefined && a.id === b.id;
