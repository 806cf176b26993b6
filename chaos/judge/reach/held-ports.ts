import type { Host } from '../../../test/lab/host.ts';
import type { EnginePort } from '../engine/types.ts';
import type { Look } from '../look.ts';
import { promisedPorts } from './ports.ts';
import type { Reach } from './types.ts';

/** Every port of a host that was seen published at an earlier look, as `protocol port`. */
const seen = new WeakMap<Host, Set<string>>();

/** Published ports are kept from other processes; those that are no more are free. */
export function heldPorts(look: Look): Reach[] {
  const before = seen.get(look.target.host) ?? new Set();
  seen.set(look.target.host, before);
  const promised = promisedPorts(look).filter(
    ({ protocol, hostPort }) => hostPort !== 0 && protocol !== 'sctp',
  );
  for (const { ports } of look.engine.containers) {
    for (const { protocol, host } of ports)
      if (host !== 0 && protocol !== 'sctp') before.add(`${protocol} ${host}`);
  }
  const bind = (protocol: string, address: string, port: number) => ({
    from: 'host',
    kind: 'bind' as const,
    address,
    port,
    protocol: protocol as 'tcp' | 'udp',
  });
  const held = promised.map(
    ({ protocol, hostAddress, hostPort, endpoint }): Reach => ({
      ...bind(protocol, hostAddress, hostPort),
      expected: false,
      rule: 'port-not-held',
      subject: `${endpoint.container.name} on ${endpoint.on.name}`,
    }),
  );
  // The engine publishes those of its own networks.
  const ours = new Set(look.promises.networks.map(({ id }) => id));
  const taken = look.engine.containers
    .filter(
      ({ running, attachments }) => running && attachments.some(({ networkId }) => !ours.has(networkId)),
    )
    .flatMap(({ ports }) => ports.map(keyOf));
  const free = [...before]
    .filter(key => !taken.includes(key) && !promised.some(one => `${one.protocol} ${one.hostPort}` === key))
    .flatMap(key => {
      const [protocol = '', port = ''] = key.split(' ');
      return ['0.0.0.0', '::'].map(
        (address): Reach => ({
          ...bind(protocol, address, Number(port)),
          expected: true,
          rule: 'port-held-for-nothing',
          subject: `${port}/${protocol}`,
        }),
      );
    });
  return [...held, ...free];
}

const keyOf = ({ protocol, host }: EnginePort): string => `${protocol} ${host}`;
