import { setImmediate } from 'node:timers/promises';
import { TsnetError } from '../errors.ts';
import { describe, type Op } from '../host-state/ops.ts';
import { hasCode, NetlinkError } from './netlink/netlink-error.ts';
import { EndMissing } from './sandbox/end.ts';
import { Ahead } from './steps/ahead.ts';
import { step, type Ways } from './steps/step.ts';

/** Steps for ports, which wait for nothing, before other work of the event loop gets its turn: a container may have a thousand, in two families. */
const BATCH = 50;

/** See Kernel.apply. */
export async function apply(
  ways: Ways,
  ops: readonly Op[],
  options: { context: string; teardown?: boolean },
): Promise<void> {
  const failures: TsnetError[] = [];
  const made = new Set<string>();
  using ahead = new Ahead();
  for (const [number, op] of ops.entries()) {
    if (number > 0 && number % BATCH === 0 && isForPort(op)) await setImmediate();
    try {
      const running = step(ways, op, ahead.take(op), made);
      ahead.prepare(ops[number + 1]);
      await running;
    } catch (error) {
      // It goes with its container at this moment, and the kernel will tell of its other end.
      if (options.teardown === true && error instanceof EndMissing) continue;
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

const isForPort = ({ op }: Op): boolean => op === 'hold.add' || op === 'hold.delete';

/** `link tsb1a2 (network web): EEXIST …`: the object in the kernel, the one the user knows, the kernel's words. */
function named(error: unknown, op: Op, context: string): TsnetError {
  if (error instanceof TsnetError) {
    return new TsnetError(error.code, `${error.what} (${context})`, { cause: error, remedy: error.remedy });
  }
  const code = hasCode(error, 'EOPNOTSUPP') ? 'KERNEL_UNSUPPORTED' : 'KERNEL';
  const words = error instanceof NetlinkError ? error.message : String(error);
  const what = `${describe(op).slice(1)} (${context}): ${words}`;
  if (code !== 'KERNEL_UNSUPPORTED' || op.op !== 'link.add')
    return new TsnetError(code, what, { cause: error });
  // The kernel loads the module by itself where it has it.
  const { kind } = op.link;
  const remedy = `This kernel has no links of type ${kind}: install the package with its module ${kind} (modprobe ${kind} tells whether it is there) or boot a kernel that has it, or use another mode.`;
  return new TsnetError(code, what, { cause: error, remedy });
}
