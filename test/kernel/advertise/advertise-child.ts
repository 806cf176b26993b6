import { Advertiser } from '../../../src/kernel/advertise/advertiser.ts';

/** Advertises what its argument says and comes to its end when its input does. */
new Advertiser(error => {
  throw error;
}).advertise(JSON.parse(process.argv[2] ?? ''));
process.stdin.resume();
