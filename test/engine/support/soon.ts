import { waitFor } from '../../lab/wait.ts';

/** Milliseconds within which links are gone that tsnet deletes in the background, from the end of the call on. */
const DELETION = 2000;

/**
 * Asserts what is to be true as soon as links are gone that tsnet deletes in the background.
 * @param assertion is asked again and again
 * @throws its last failure, with what differs, after two seconds
 */
export async function soon(assertion: () => Promise<void>): Promise<void> {
  let failure: unknown;
  const holds = () =>
    assertion().then(
      () => true,
      (error: unknown) => {
        failure = error;
        return false;
      },
    );
  try {
    await waitFor(holds, { timeout: DELETION, what: 'links to be gone' });
  } catch (timeout) {
    if (failure instanceof Error) failure.message = `${(timeout as Error).message}: ${failure.message}`;
    throw failure ?? timeout;
  }
}
