import type { Look } from '../look.ts';
import { type Rule, violation } from '../violations.ts';

/** Every network namespace of the host is its own or that of a container that runs. */
export const namespaceRules: Rule<Look> = ({ kernel, engine }) => {
  const known = new Set([kernel.hostNamespace, ...[...kernel.containers.values()].map(({ id }) => id)]);
  const sandboxes = new Set(
    engine.containers
      .filter(({ running }) => running)
      .map(({ sandbox }) => (sandbox === '' ? '' : fileOf(sandbox))),
  );
  return [
    ...[...kernel.mountedNamespaces]
      .filter(([path, id]) => !known.has(id) && !isEngines(path) && !sandboxes.has(fileOf(path)))
      .map(([path, id]) =>
        violation('namespace-of-nothing', path, `keeps ${id}, which no running container has`),
      ),
    ...kernel.processes.flatMap(({ name, pid, held }) =>
      [...new Set(held)]
        .filter(id => !known.has(id))
        .map(id =>
          violation(
            'namespace-of-nothing',
            `${name} (${pid})`,
            `holds ${id}, which no running container has`,
          ),
        ),
    ),
  ];
};

const fileOf = (path: string): string => path.split('/').at(-1) ?? path;

/** What the engine keeps for itself: the host's own, for containers with the host's network, and those of swarm. */
const isEngines = (path: string): boolean => /^(default|\d+-.*|lb_.*)$/.test(fileOf(path));
