/**
 * What the executable runs first: the program from its source and the code that V8 has made of it at build time (see
 * warm.cjs). Node's own code cache for executables holds only what is compiled before anything runs, which is a third.
 */
const { getAsset, getRawAsset } = require('node:sea');
const { Script } = require('node:vm');

// As Latin-1 a character takes a byte of memory; the bundle is ASCII.
const source = getAsset('tsnet.cjs', 'latin1');
const cachedData = new Uint8Array(getRawAsset('tsnet.cache'));
// A cache that V8 does not accept, for it was given other flags, is left unused.
new Script(source, { filename: 'tsnet.cjs', cachedData }).runInThisContext()(require, __filename);
