import type { EngineContainer } from '../engine/types.ts';
import type { Look } from '../look.ts';
import { type Rule, violation } from '../violations.ts';

/** The engine has what the world says was made, and nothing else; it believes no container to be on a network that is not. */
export const worldRules: Rule<Look> = look => [...networks(look), ...containers(look), ...phantoms(look)];

const networks: Rule<Look> = ({ target: { world }, promises }) => {
  const there = new Set(promises.networks.map(({ name }) => name));
  const lost = [...world.networks.values()].filter(({ name, uncertain }) => !uncertain && !there.has(name));
  return [
    ...lost.map(({ name }) => violation('network-lost', name, 'was created, and the engine has it no more')),
    ...[...there]
      .filter(name => !world.networks.has(name))
      .map(name => violation('network-unknown', name, 'the engine has a network that nobody has created')),
  ];
};

const containers: Rule<Look> = ({ target: { world }, engine, promises }) => {
  const ids = new Set(promises.networks.map(({ id }) => id));
  const there = new Map(engine.containers.map(container => [container.name, container]));
  const ours = engine.containers.filter(({ attachments }) =>
    attachments.some(({ networkId }) => ids.has(networkId)),
  );
  return [
    ...ours
      .filter(({ name }) => !world.containers.has(name))
      .map(({ name }) =>
        violation('container-unknown', name, 'the engine has a container that nobody has made'),
      ),
    ...[...world.containers.values()]
      .filter(({ uncertain }) => !uncertain)
      .flatMap(expected => {
        const found = there.get(expected.name);
        if (found === undefined)
          return [violation('container-lost', expected.name, 'was made, and the engine has it no more')];
        return [...stateOf(found, expected.state), ...attachmentsOf(found, expected.attachments)];
      }),
  ];
};

function stateOf({ name, running }: EngineContainer, expected: string) {
  const state = running ? 'running' : 'stopped';
  return state === expected ? [] : [violation('container-state', name, `is ${state}, not ${expected}`)];
}

function attachmentsOf(
  { name, attachments }: EngineContainer,
  expected: ReadonlyMap<string, string | undefined>,
) {
  const found = new Map(attachments.map(one => [one.network, one]));
  return [
    ...[...expected.keys()]
      .filter(network => !found.has(network))
      .map(network => violation('attachment-lost', name, `is not on ${network}`)),
    ...[...found.keys()]
      .filter(network => !expected.has(network))
      .map(network =>
        violation('attachment-unknown', name, `is on ${network}, to which nobody has connected it`),
      ),
    ...[...expected].flatMap(([network, address]) => {
      const has = found.get(network)?.addresses ?? [];
      const kept =
        address === undefined || has.length === 0 || has.some(one => one.split('/')[0] === address);
      return kept
        ? []
        : [
            violation(
              'address-not-given',
              name,
              `asked for ${address} on ${network} and has ${has.join(', ')}`,
            ),
          ];
    }),
  ];
}

/** Endpoints that the engine's networks have, of containers that are not on them. */
const phantoms: Rule<Look> = ({ engine, promises }) => {
  const real = new Set(promises.endpoints.map(({ endpointId }) => endpointId));
  const ours = new Set(promises.networks.map(({ id }) => id));
  return engine.networks
    .filter(({ id }) => ours.has(id))
    .flatMap(({ name, endpoints }) =>
      [...endpoints]
        .filter(([id]) => !real.has(id))
        .map(([id, container]) =>
          violation(
            'endpoint-phantom',
            name,
            `the engine has endpoint ${id.slice(0, 12)} of ${container} on it`,
          ),
        ),
    );
};
