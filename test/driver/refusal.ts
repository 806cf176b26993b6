import { TsnetError } from '../../src/errors.ts';

/** The coded error that a function throws. @throws what else it throws, or that it threw nothing */
export function refusal(action: () => unknown): TsnetError {
  try {
    action();
  } catch (error) {
    if (error instanceof TsnetError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** The coded error that a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<TsnetError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof TsnetError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
