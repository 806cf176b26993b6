import { execa } from 'execa';

/**
 * When a build is said to have been made, in seconds since 1970: SOURCE_DATE_EPOCH
 * (https://reproducible-builds.org/specs/source-date-epoch/), otherwise the time of the commit.
 * @param root the project's directory
 * @throws Error when the variable is no number
 */
export async function timeOf(root: string, env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const given = env['SOURCE_DATE_EPOCH'];
  if (given !== undefined && given !== '') {
    if (!/^\d{1,10}$/.test(given)) throw new Error(`SOURCE_DATE_EPOCH=${given} is no number of seconds`);
    return Number(given);
  }
  // Sources without history have no time of their own.
  const { stdout, failed } = await execa('git', ['-C', root, 'log', '-1', '--format=%ct'], { reject: false });
  return failed ? 0 : Number(stdout);
}
