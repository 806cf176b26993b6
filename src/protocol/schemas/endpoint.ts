import { z } from 'zod';
import { present } from '../../present.ts';
import type { CreateEndpointRequest, EndpointRef, JoinRequest, ProgramRequest } from '../types.ts';
import { id, optionalCidr, optionalMac, sandboxPath } from './fields.ts';
import { PORT_MAP, portMap, portOptions, programOptions } from './ports.ts';

/** The MAC address again, as base64 of Go bytes: `Interface.MacAddress` says the same in readable form. */
const MAC_BYTES = 'com.docker.network.endpoint.macaddress';

const refFields = { NetworkID: id, EndpointID: id };
const toRef = (wire: { NetworkID: string; EndpointID: string }): EndpointRef => ({
  networkId: wire.NetworkID,
  endpointId: wire.EndpointID,
});

/** DeleteEndpoint, EndpointOperInfo, Leave and RevokeExternalConnectivity. */
export const endpointRef = z.object(refFields).transform(toRef);

const endpointOptions = z
  .looseObject({ [PORT_MAP]: portMap })
  .nullish()
  .transform(options => {
    const strings = Object.entries(options ?? {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[0] !== MAC_BYTES,
    );
    return { ports: options?.[PORT_MAP] ?? [], options: Object.fromEntries(strings) };
  });

const endpointInterface = z
  .object({ Address: optionalCidr(4), AddressIPv6: optionalCidr(6), MacAddress: optionalMac })
  .nullish();

export const createEndpoint = z
  .object({ ...refFields, Interface: endpointInterface, Options: endpointOptions })
  .transform(
    (wire): CreateEndpointRequest => ({
      ...toRef(wire),
      ...present({
        address4: wire.Interface?.Address,
        address6: wire.Interface?.AddressIPv6,
        mac: wire.Interface?.MacAddress,
      }),
      ...wire.Options,
    }),
  );

export const join = z
  .object({ ...refFields, SandboxKey: sandboxPath, Options: portOptions })
  .transform((wire): JoinRequest => ({ ...toRef(wire), sandbox: wire.SandboxKey, ports: wire.Options }));

export const program = z
  .object({ ...refFields, Options: programOptions })
  .transform((wire): ProgramRequest => ({ ...toRef(wire), ...wire.Options }));
