import { TsnetError } from '../errors.ts';
import { describe, type Op } from '../host-state/ops.ts';
import { hasCode, NetlinkError } from './netlink/netlink-error.ts';
import { step, type Ways } from './steps/step.ts';

/** See Kernel.apply. */
export async function apply(
  ways: Ways,
  ops: readonly Op[],
  options: { context: string; teardown?: boolean },
): Promise<void> {
  const failures: TsnetError[] = [];
  for (const op of ops) {
    try {
      await step(ways, op);
    } catch (error) {
      const failure = named(error, op, options.context);
      if (options.teardown !== true) throw failure;
      failures.push(failure);
    }
  }
  const [first, ...more] = failures;
  if (first === undefined) return;
  if (more.length === 0) throw first;
  const what = failures.map(failure => failure.what).join('; ');
  throw new TsnetError(first.code, what, { cause: new AggregateError(failures) });
}

/** `link tsb1a2 (network web): EEXIST …`: the object in the kernel, the one the user knows, the kernel's words. */
function named(error: unknown, op: Op, context: string): TsnetError {
  if (error instanceof TsnetError) {
    return new TsnetError(error.code, `${error.what} (${context})`, { cause: error, remedy: error.remedy });
  }
  const code = hasCode(error, 'EOPNOTSUPP') ? 'KERNEL_UNSUPPORTED' : 'KERNEL';
  const words = error instanceof NetlinkError ? error.message : String(error);
  return new TsnetError(code, `${describe(op).slice(1)} (${context}): ${words}`, { cause: error });
}
