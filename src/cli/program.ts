import { Command } from 'commander';
import { TsnetError } from '../errors.ts';
import { addPorts } from './ports.ts';
import { addServe } from './serve.ts';
import { addStatus } from './status.ts';

declare const TSNET_VERSION: string | undefined;

/** The command line; one file a sub-command. @param args without the program's own name */
export async function runProgram(args: readonly string[]): Promise<void> {
  const program = new Command('tsnet')
    .description(
      'A Docker network driver: bridge and macvlan networks, with a host that reaches its containers',
    )
    .version(typeof TSNET_VERSION === 'string' ? TSNET_VERSION : 'development');
  addServe(program);
  addPorts(program);
  addStatus(program);
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    process.stderr.write(
      `tsnet: ${error instanceof TsnetError ? error.message : String((error as Error).stack)}\n`,
    );
    process.exit(1);
  }
}
