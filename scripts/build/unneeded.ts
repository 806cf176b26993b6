import type { Plugin } from 'esbuild';

/**
 * Packages that express brings along for what tsnet never does, and what stands in for each. They are a quarter of the
 * bundle, in memory for as long as the daemon runs.
 *
 * - iconv-lite: decodes bodies of other character sets; tsnet reads bodies as bytes (src/protocol/body.ts).
 * - mime-db: finds media types by file name; tsnet names its one media type in full.
 */
const UNNEEDED: Readonly<Record<string, string>> = {
  'iconv-lite': 'module.exports = {};',
  'mime-db': 'module.exports = {};',
};

const NAMESPACE = 'unneeded';

/** Leaves packages out of the bundle that are required and never used. */
export const unneeded: Plugin = {
  name: NAMESPACE,
  setup(build) {
    const filter = new RegExp(`^(${Object.keys(UNNEEDED).join('|')})$`);
    build.onResolve({ filter }, ({ path }) => ({ path, namespace: NAMESPACE }));
    build.onLoad({ filter, namespace: NAMESPACE }, ({ path }) => ({ contents: UNNEEDED[path] ?? '' }));
  },
};
