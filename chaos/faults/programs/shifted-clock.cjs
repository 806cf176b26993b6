// Loaded into a tsnet before its own code: `NODE_OPTIONS='--require …/shifted-clock.cjs' CLOCK_SHIFT=FILE`. Its time of day is
// the kernel's and as many seconds as FILE says, read anew at every SIGUSR2: what a step of the host's clock does to a process.
// Timers are not affected, as they are not by such a step: they count by CLOCK_MONOTONIC.
'use strict';
const { readFileSync } = require('node:fs');

const Real = Date;
let shift = 0;
function read() {
  shift = Number(readFileSync(process.env.CLOCK_SHIFT, 'utf8')) * 1000;
}
read();
process.on('SIGUSR2', read);

globalThis.Date = class ShiftedDate extends Real {
  constructor(...given) {
    if (given.length === 0) super(Real.now() + shift);
    else super(...given);
  }

  static now() {
    return Real.now() + shift;
  }
};
