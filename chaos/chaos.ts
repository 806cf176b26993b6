/**
 * The fault campaign: random operations on a throwaway Docker host, faults between and during them, and after each round a judge
 * that compares the engine, the kernel and tsnet's store. Ends with 1 when a promise was not kept.
 */
import { campaign } from './campaign/campaign.ts';
import { readOptions } from './campaign/options.ts';
import { reportText } from './report/report.ts';

const report = await campaign(readOptions(process.argv), line => process.stdout.write(`${line}\n`));
process.stdout.write(`${reportText(report)}\n`);
if (report.tally.violations.length > 0) process.exitCode = 1;
