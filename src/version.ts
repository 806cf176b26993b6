declare const TSNET_VERSION: string | undefined;

/** The version in package.json, written into the program when it is built; `development` when it runs from its sources. */
export const VERSION: string = typeof TSNET_VERSION === 'string' ? TSNET_VERSION : 'development';
