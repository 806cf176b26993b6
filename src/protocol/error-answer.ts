import type { Response } from 'express';
import type { TsnetError } from '../errors.ts';

/** Docker's name for the JSON of plugins. */
export const MEDIA_TYPE = 'application/vnd.docker.plugins.v1.2+json';

/**
 * The status of an error on the wire: that of the table, but 404 becomes 500. The engine takes 404 from
 * ProgramExternalConnectivity and RevokeExternalConnectivity for "the driver has no such method", which is success
 * to it; so 404 is kept for methods that do not exist.
 */
export const wireStatus = (error: TsnetError): number =>
  error.status === 404 && error.code !== 'METHOD_UNKNOWN' ? 500 : error.status;

/**
 * Answers an error in the one form that both interfaces understand: the network driver's reads `Err`, the IPAM
 * driver's `Error`, and for a status other than 200 the engine's plugin client reads `Err`.
 */
export const answerError = (response: Response, error: TsnetError): void => {
  response
    .status(wireStatus(error))
    .type(MEDIA_TYPE)
    .send(JSON.stringify({ Err: error.message, Error: error.message }));
};
