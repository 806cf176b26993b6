import type { World } from './world.ts';

/** The redirected ports on the fake host, a line each. */
export const publicationsOf = (world: World): string[] =>
  [...world.kernel.model.firewall.values()]
    .filter(({ set }) => set.startsWith('publish') && !set.startsWith('published_source'))
    .map(({ set, key, value = [] }) => `${set} ${key.join(' ')} -> ${value.join(' ')}`)
    .sort();
