/**
 * Has tsnet die at every point of every operation, one after the other, and looks each time whether everything comes right by itself
 * and the operation can be asked for again. Ends with 1 when something does not.
 */
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { TSNET } from '../../test/engine/support/tsnet-host.ts';
import type { Generation } from '../../test/lab/engines.ts';
import { OPERATIONS } from './operations.ts';
import { violationsIn, walkText } from './report.ts';
import { walkAll } from './walk-all.ts';

interface Options {
  readonly engine: Generation;
  readonly program: string;
  readonly only: RegExp;
  readonly from: number;
  readonly step: number;
  readonly dump: string;
}

const options = new Command('walk')
  .description('tsnet dies at every point of every operation')
  .addOption(
    new Option('--engine <generation>', 'engine of the host').choices(['20.10', '26', '28']).default('28'),
  )
  .option('--program <path>', "the daemon's executable", TSNET)
  .addOption(
    new Option('--only <pattern>', 'operations whose name this matches')
      .argParser(pattern)
      .default(/./, 'all'),
  )
  .option('--from <n>', 'the point to begin at', number, 1)
  .option('--step <n>', 'every how manieth point', number, 1)
  .option(
    '--dump <dir>',
    'where to write what there is to see',
    join(import.meta.dirname, '../../dist/chaos/walk'),
  )
  .parse()
  .opts<Options>();

const operations = OPERATIONS.filter(({ name }) => options.only.test(name));
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const result = await walkAll({ ...options, operations, say });
say(walkText(result));
process.exitCode = result.operations.some(operation => violationsIn(operation) > 0) ? 1 : 0;

function number(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a whole number from 1 on.');
  return value;
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new InvalidArgumentError(String(error));
  }
}
