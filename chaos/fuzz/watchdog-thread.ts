import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

const HEAD = 8;
/** Longer than the patience with a call. */
const LIMIT_MS = 60_000;
const EVERY_MS = 1_000;
const STDERR = 2;

const shared = workerData as SharedArrayBuffer;
const head = new Int32Array(shared, 0, HEAD / 4);
let last = -1;
let since = performance.now();

setInterval(() => {
  const number = Atomics.load(head, 0);
  if (number !== last) {
    last = number;
    since = performance.now();
  }
  if (performance.now() - since < LIMIT_MS) return;
  const text = Buffer.from(shared, HEAD, Atomics.load(head, 1)).toString();
  writeSync(STDERR, `fuzz: hang: request ${number} has the event loop turn for ever: ${text}\n`);
  // The main thread does not come to end itself.
  process.kill(process.pid, 'SIGKILL');
}, EVERY_MS);
