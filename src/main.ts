import './native-addon.ts';

import { runProgram } from './cli/program.ts';
import { removeAddon } from './native-addon.ts';

removeAddon();
// Requests that wait in the kernel (a link's deletion takes 16 ms and more) each hold a thread of libuv's pool, and the
// two monitors hold one each for good. Read when the pool starts, at its first use.
process.env['UV_THREADPOOL_SIZE'] ??= '64';
void runProgram(process.argv.slice(2));
