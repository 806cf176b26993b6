import { z } from 'zod';
import type { PortProtocol } from '../../host-state/types.ts';
import { present } from '../../present.ts';
import type { PortBinding, ProgramRequest } from '../types.ts';
import { optionalAddress } from './fields.ts';

/** Key of the published ports in the options of CreateEndpoint, Join and ProgramExternalConnectivity. */
export const PORT_MAP = 'com.docker.network.portmap';

const OF_CONTAINERS = 'ports of containers go from 1 to 65535';
const containerPort = z.int().min(1, OF_CONTAINERS).max(65535, OF_CONTAINERS);
/** 0: any that is free. */
const hostPort = z.int().min(0).max(65535);

/** IP protocol numbers; ICMP, which the engine's types know as well, has no ports. */
const PROTOCOLS: ReadonlyMap<number, PortProtocol> = new Map([
  [6, 'tcp'],
  [17, 'udp'],
  [132, 'sctp'],
]);

const binding = z
  .object({
    Proto: z.int().min(0).max(255),
    Port: containerPort,
    HostIP: optionalAddress,
    HostPort: hostPort.nullish(),
    HostPortEnd: hostPort.nullish(),
  })
  .transform((wire, context): PortBinding => {
    const protocol = PROTOCOLS.get(wire.Proto);
    if (protocol === undefined) {
      context.addIssue({ code: 'custom', path: ['Proto'], message: `${wire.Proto} has no ports` });
      return z.NEVER;
    }
    const first = wire.HostPort ?? 0;
    // Go sends 0 where a caller of the engine's API gave no range.
    const last = wire.HostPortEnd || first;
    if (last < first) {
      context.addIssue({
        code: 'custom',
        path: ['HostPortEnd'],
        message: `${last} is below HostPort ${first}`,
      });
      return z.NEVER;
    }
    return present({
      protocol,
      port: wire.Port,
      hostIp: wire.HostIP,
      hostPort: first,
      hostPortEnd: last,
    });
  });

/** Absent on internal networks, null from a nil slice. */
export const portMap = z
  .array(binding)
  .nullish()
  .transform((ports): readonly PortBinding[] => ports ?? []);

/** Label of ProgramExternalConnectivity from engine 28 on. */
const NO_RELAY = 'com.docker.network.driver.private.no_proxy_6to4';

export const programOptions = z
  .object({ [PORT_MAP]: portMap, [NO_RELAY]: z.boolean().nullish() })
  .nullish()
  .transform(
    (options): Pick<ProgramRequest, 'ports' | 'noRelay'> => ({
      ports: options?.[PORT_MAP] ?? [],
      ...(options?.[NO_RELAY] === true ? { noRelay: true } : {}),
    }),
  );

/** Options of which only the port map matters: those of Join. */
export const portOptions = z
  .object({ [PORT_MAP]: portMap })
  .nullish()
  .transform((options): readonly PortBinding[] => options?.[PORT_MAP] ?? []);
