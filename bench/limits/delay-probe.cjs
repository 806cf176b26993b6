/**
 * Measures the delay of the event loop of the process that it is preloaded into. SIGUSR2 begins anew; the figures, in ms,
 * are written to the file DELAY_FILE when the process ends.
 */
const { writeFileSync } = require('node:fs');
const { monitorEventLoopDelay } = require('node:perf_hooks');

/** The probe's timer, in ms: what it waits by itself is no delay. */
const RESOLUTION = 1;
const delays = monitorEventLoopDelay({ resolution: RESOLUTION });
delays.enable();
process.on('SIGUSR2', () => delays.reset());

const inMs = nanoseconds => Math.max(0, nanoseconds / 1e6 - RESOLUTION);
process.on('exit', () => {
  const figures = {
    p50: inMs(delays.percentile(50)),
    p99: inMs(delays.percentile(99)),
    max: inMs(delays.max),
  };
  writeFileSync(process.env['DELAY_FILE'], JSON.stringify(figures));
});
