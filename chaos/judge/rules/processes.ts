import type { ProcessView } from '../kernel/types.ts';
import type { Look } from '../look.ts';
import { type Rule, violation } from '../violations.ts';

/** One tsnet runs, with nothing that it has started and left; no container's process is left without its container. */
export const processRules: Rule<Look> = look => [
  ...daemons(look),
  ...children(look),
  ...shims(look),
  ...strays(look),
];

const isDaemon = ({ argv, state }: ProcessView): boolean =>
  state !== 'Z' && /(^|\/)tsnet$/.test(argv[0] ?? '') && argv[1] === 'serve';

const daemons: Rule<Look> = ({ kernel: { processes }, target }) => {
  const count = processes.filter(isDaemon).length;
  return count === 1 ? [] : [violation('daemon-count', target.host.name, `${count} processes of tsnet run`)];
};

const children: Rule<Look> = ({ kernel: { processes } }) =>
  processes
    .filter(({ parent, argv }) => parent === 'tsnet' && argv[1] !== 'serve')
    .map(({ pid, name, state }) =>
      violation(
        'process-of-nothing',
        `${name} (${pid})`,
        `was started by tsnet and is left, in state ${state}`,
      ),
    );

/** Each container has one process of the engine's that looks after it. */
const shims: Rule<Look> = ({ kernel: { processes }, engine }) => {
  const running = new Set(engine.containers.filter(one => one.running).map(({ id }) => id));
  return processes
    .filter(({ name, state }) => name.startsWith('containerd-shim') && state !== 'Z')
    .flatMap(({ pid, name, argv }) => {
      const id = argv[argv.indexOf('-id') + 1] ?? '';
      return running.has(id)
        ? []
        : [
            violation(
              'process-of-nothing',
              `${name} (${pid})`,
              `looks after container ${id.slice(0, 12)}, which does not run`,
            ),
          ];
    });
};

/** Processes in a network namespace that belongs to no running container. */
const strays: Rule<Look> = ({ kernel }) => {
  const known = new Set([kernel.hostNamespace, ...[...kernel.containers.values()].map(({ id }) => id)]);
  return kernel.processes
    .filter(({ namespace }) => namespace !== '' && !known.has(namespace))
    .map(({ pid, name, namespace }) =>
      violation(
        'process-of-nothing',
        `${name} (${pid})`,
        `is in ${namespace}, which no running container has`,
      ),
    );
};
