import { InvalidArgumentError, type Option } from 'commander';

/**
 * Removes from the environment what its options do not take, for a setting with a slip of the pen is no reason to leave an engine
 * without its driver; an empty one stands for none. On the command line the same is an error.
 * @param env changed in place
 * @returns what was removed and why, in words for the log
 */
export function dropUnusable(options: readonly Option[], env: NodeJS.ProcessEnv): string[] {
  return options.flatMap(option => {
    const name = option.envVar;
    const value = name === undefined ? undefined : env[name];
    if (name === undefined || value === undefined) return [];
    const why = value === '' ? '' : refusal(option, value);
    if (why === undefined) return [];
    delete env[name];
    return why === ''
      ? []
      : [`${name}=${value} is left aside, ${String(option.defaultValue)} is used: ${why}`];
  });
}

/** Why an option does not take a value; undefined when it does. */
function refusal(option: Option, value: string): string | undefined {
  try {
    option.parseArg?.(value, undefined);
    return undefined;
  } catch (error) {
    if (error instanceof InvalidArgumentError) return error.message;
    throw error;
  }
}
