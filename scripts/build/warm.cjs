/**
 * `node FLAGS --random-seed=1 warm.cjs BUNDLE CACHE`: runs the program, as far as it goes without root, and writes the
 * code that V8 has compiled for it. Must have the V8 flags of the executable, or V8 will not accept the result there.
 *
 * The same program gives the same bytes: hashes of names follow --random-seed, which V8 leaves out when it compares
 * flags. What depends on time is switched off while the program runs and on again before its code is taken, for those
 * flags do count: V8 forgets code that it has not run for some collections of garbage, and marks functions that its
 * second compiler is just working on.
 */
const { readFileSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { setFlagsFromString } = require('node:v8');
const { Script } = require('node:vm');

const TIMED = ['flush-bytecode', 'sparkplug'];

const [bundle, cache] = process.argv.splice(2);
for (const flag of TIMED) setFlagsFromString(`--no-${flag}`);
const script = new Script(readFileSync(bundle, 'latin1'), { filename: 'tsnet.cjs' });
process.on('exit', () => {
  for (const flag of TIMED) setFlagsFromString(`--${flag}`);
  writeFileSync(cache, script.createCachedData());
});
process.argv.push('serve', '--help');
script.runInThisContext()(createRequire(bundle), bundle);
