import { canonical } from '../addresses.ts';
import type { EngineNetwork } from './types.ts';

/** The parts of `GET /networks/ID` that are read. */
interface Answer {
  Id: string;
  Name: string;
  Driver: string;
  Internal: boolean;
  EnableIPv6: boolean;
  Options: Record<string, string> | null;
  IPAM: {
    Driver: string;
    Config: { Subnet: string; Gateway?: string; AuxiliaryAddresses?: Record<string, string> }[] | null;
  };
  Containers: Record<string, { EndpointID: string }> | null;
}

/** @param body of the engine's answer */
export function readNetwork(body: unknown): EngineNetwork {
  const answer = body as Answer;
  return {
    id: answer.Id,
    name: answer.Name,
    driver: answer.Driver,
    internal: answer.Internal,
    ipv6: answer.EnableIPv6,
    options: answer.Options ?? {},
    ipamDriver: answer.IPAM.Driver,
    subnets: (answer.IPAM.Config ?? []).map(({ Subnet, Gateway, AuxiliaryAddresses }) => ({
      subnet: Subnet,
      ...(Gateway ? { gateway: canonical(Gateway.split('/')[0] ?? Gateway) } : {}),
      aux: AuxiliaryAddresses ?? {},
    })),
    endpoints: new Map(
      Object.entries(answer.Containers ?? {}).map(([container, { EndpointID }]) => [EndpointID, container]),
    ),
  };
}
