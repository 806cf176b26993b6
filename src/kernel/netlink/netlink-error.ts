import { constants } from 'node:os';
import { getSystemErrorMessage, getSystemErrorName } from 'node:util';

/** A request that the kernel refused, or a system call on a netlink socket that failed. */
export class NetlinkError extends Error {
  override readonly name = 'NetlinkError';
  /** Positive error number. */
  readonly errno: number;
  /** Symbol of the number: `EEXIST`. */
  readonly code: string;
  /** What was tried: `RTM_NEWLINK tss1`. */
  readonly operation: string;
  /** The kernel's own explanation (NETLINK_EXT_ACK), where it gave one. */
  readonly extack: string | undefined;

  constructor(errno: number, operation: string, extack?: string) {
    const code = errorName(errno);
    const detail = extack ? ` (${extack})` : '';
    super(`${operation}: ${code} ${errorText(errno)}${detail}`);
    this.errno = errno;
    this.code = code;
    this.operation = operation;
    this.extack = extack;
  }

  /** For a failed libc call that answered `-errno`; passes other results through. */
  static check(result: number, operation: string): number {
    if (result < 0) throw new NetlinkError(-result, operation);
    return result;
  }
}

export type ErrorSymbol = keyof typeof constants.errno;

/** Whether an error is a NetlinkError with one of these codes. */
export const hasCode = (error: unknown, ...codes: ErrorSymbol[]): error is NetlinkError =>
  error instanceof NetlinkError && codes.some(code => constants.errno[code] === error.errno);

// libuv knows most numbers but not all (EDESTADDRREQ and kernel-internal ones such as 524 are missing),
// and on Linux ENOTSUP is another name of EOPNOTSUPP, which is the one that the kernel's sources use.
function errorName(errno: number): string {
  if (errno === constants.errno.EOPNOTSUPP) return 'EOPNOTSUPP';
  const known = Object.entries(constants.errno).find(([, number]) => number === errno);
  return known?.[0] ?? getSystemErrorName(-errno);
}

function errorText(errno: number): string {
  return getSystemErrorMessage(-errno) ?? `error ${errno}`;
}
