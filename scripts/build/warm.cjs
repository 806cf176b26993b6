/**
 * `node FLAGS warm.cjs BUNDLE CACHE`: runs the program, as far as it goes without root, and writes the code that V8 has
 * compiled for it. Must have the V8 flags of the executable, or V8 will not accept the result there.
 */
const { readFileSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { Script } = require('node:vm');

const [bundle, cache] = process.argv.splice(2);
const script = new Script(readFileSync(bundle, 'latin1'), { filename: 'tsnet.cjs' });
process.on('exit', () => writeFileSync(cache, script.createCachedData()));
process.argv.push('serve', '--help');
script.runInThisContext()(createRequire(bundle), bundle);
