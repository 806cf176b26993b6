import { Command } from 'commander';
import { TsnetError } from '../errors.ts';
import { isJournal } from '../log.ts';
import { VERSION } from '../version.ts';
import { addPorts } from './ports.ts';
import { addPurge } from './purge.ts';
import { addServe } from './serve.ts';
import { addStatus } from './status.ts';

/** The command line; one file a sub-command. @param args without the program's own name */
export async function runProgram(args: readonly string[]): Promise<void> {
  const program = new Command('tsnet')
    .description(
      'A Docker network driver: bridge and macvlan networks, with a host that reaches its containers',
    )
    .version(VERSION);
  addServe(program);
  addPorts(program);
  addStatus(program);
  addPurge(program);
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    const words = error instanceof TsnetError ? error.message : String((error as Error).stack);
    process.stderr.write(`${complaint(words)}\n`);
    process.exit(1);
  }
}

const STDERR = 2;

/** In the journal, which knows who writes, as lines of the severity of errors. */
const complaint = (words: string): string =>
  isJournal(process.env, STDERR) ? words.replace(/^/gm, '<3>') : `tsnet: ${words}`;
