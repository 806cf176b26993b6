import { styleText } from 'node:util';

const { stdout } = process;
// both leave the text plain when the output is no terminal, or NO_COLOR is set
export const good = (text: string): string => styleText('green', text, { stream: stdout });
export const bad = (text: string): string => styleText(['red', 'bold'], text, { stream: stdout });
const dim = (text: string): string => styleText('dim', text, { stream: stdout });

export function title(text: string): void {
  console.log(`\n${styleText('bold', text, { stream: stdout })}`);
}

/**
 * Shows a command as a user types it, then what came of it and how long it took. On a terminal a line says meanwhile
 * that it runs.
 *
 * @param outcome one line from the command's result
 * @returns the command's result
 */
export async function step<T>(
  command: string,
  run: () => Promise<T>,
  outcome: (result: T) => string,
): Promise<T> {
  console.log(`$ ${command}`);
  if (stdout.isTTY) stdout.write('  ...');
  const start = performance.now();
  try {
    const result = await run();
    const took = Math.round(performance.now() - start);
    if (stdout.isTTY) stdout.write('\r\x1b[K');
    console.log(`  ${outcome(result)}  ${dim(`${took} ms`)}`);
    return result;
  } catch (error) {
    if (stdout.isTTY) stdout.write('\r\x1b[K');
    throw error;
  }
}
