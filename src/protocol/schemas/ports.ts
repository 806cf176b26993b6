import { z } from 'zod';
import type { PortBinding } from '../types.ts';
import { optionalAddress } from './fields.ts';
import { present } from './present.ts';

/** Key of the published ports in the options of CreateEndpoint, Join and ProgramExternalConnectivity. */
export const PORT_MAP = 'com.docker.network.portmap';

const port = z.int().min(0).max(65535);

const binding = z
  .object({
    Proto: z.int().min(0).max(255),
    Port: port,
    HostIP: optionalAddress,
    HostPort: port.nullish(),
    HostPortEnd: port.nullish(),
  })
  .transform((wire, context): PortBinding => {
    const hostPort = wire.HostPort ?? 0;
    // Go sends 0 where a caller of the engine's API gave no range.
    const hostPortEnd = wire.HostPortEnd || hostPort;
    if (hostPortEnd < hostPort) {
      context.addIssue({
        code: 'custom',
        path: ['HostPortEnd'],
        message: `${hostPortEnd} is below HostPort ${hostPort}`,
      });
      return z.NEVER;
    }
    return present({
      protocol: wire.Proto,
      port: wire.Port,
      hostIp: wire.HostIP,
      hostPort,
      hostPortEnd,
    });
  });

/** Absent on internal networks, null from a nil slice. */
export const portMap = z
  .array(binding)
  .nullish()
  .transform((ports): readonly PortBinding[] => ports ?? []);

/** Options of which only the port map matters: those of Join and ProgramExternalConnectivity. */
export const portOptions = z
  .object({ [PORT_MAP]: portMap })
  .nullish()
  .transform((options): readonly PortBinding[] => options?.[PORT_MAP] ?? []);
