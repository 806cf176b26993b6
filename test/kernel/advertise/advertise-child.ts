import { Advertiser } from '../../../src/kernel/advertise/advertiser.ts';

/** Advertises what its argument says and comes to its end. */
new Advertiser(error => {
  throw error;
}).advertise(JSON.parse(process.argv[2] ?? ''));
