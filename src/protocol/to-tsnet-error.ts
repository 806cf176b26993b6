import { TsnetError } from '../errors.ts';

/** Whatever was thrown, as an error of the table: what is not one of tsnet's own is a defect. */
export const toTsnetError = (error: unknown): TsnetError => {
  if (error instanceof TsnetError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new TsnetError('INTERNAL', text === '' ? 'no message' : text, { cause: error });
};
