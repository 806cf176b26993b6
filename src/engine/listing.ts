import { z } from 'zod';
import { bareOf, canonicalCidr, formatAddress, parseAddress } from '../addresses.ts';
import { askEngine } from './client.ts';

/** A subnet of a network, as the engine has it. */
export interface EngineSubnet {
  /** CIDR, canonical. */
  readonly subnet: string;
  /** `--ip-range`, CIDR, canonical. */
  readonly range?: string;
  /** Addresses set aside, the gateway among them if the user named it; bare, canonical. */
  readonly reserved: readonly string[];
}

export interface EngineNetwork {
  readonly id: string;
  /** Name of the IPAM driver: `default`, `tsnet`, `tsnet-plugin:latest`. */
  readonly ipam: string;
  readonly subnets: readonly EngineSubnet[];
}

export interface EngineEndpoint {
  readonly id: string;
  /** Bare, canonical. */
  readonly addresses: readonly string[];
}

/** What can be asked of the engine; everything fails while it is not up. Never from inside a handler. */
export interface EngineListing {
  /** The engine's own identity, which survives its restarts. */
  engineId(): Promise<string>;
  /** All networks, of whatever driver. An engine answers only when it has loaded what it remembers. */
  networks(): Promise<readonly EngineNetwork[]>;
  /** The endpoints on one network, also those whose container is only starting. @param networkId full id */
  endpoints(networkId: string): Promise<readonly EngineEndpoint[]>;
}

/** Milliseconds: to say about itself what nobody has asked for, the engine starts some programs (`runc --version`). */
const INFO_PATIENCE = 10_000;

const text = z.string().nullish();
const Info = z.object({ ID: z.string() });
const Networks = z.array(
  z.object({
    Id: z.string(),
    IPAM: z
      .object({
        Driver: text,
        Config: z
          .array(
            z.object({
              Subnet: text,
              IPRange: text,
              Gateway: text,
              AuxiliaryAddresses: z.record(z.string(), z.string()).nullish(),
            }),
          )
          .nullish(),
      })
      .nullish(),
  }),
);
const Network = z.object({
  Containers: z
    .record(z.string(), z.object({ EndpointID: z.string(), IPv4Address: text, IPv6Address: text }))
    .nullish(),
});

/**
 * An engine's networks and endpoints.
 * @param socketPath of its API
 */
export const engineListing = (socketPath: string): EngineListing => ({
  engineId: async () => Info.parse(await askEngine(socketPath, '/info', INFO_PATIENCE)).ID,
  networks: async () =>
    Networks.parse(await askEngine(socketPath, '/networks')).map(({ Id, IPAM }) => ({
      id: Id,
      ipam: IPAM?.Driver ?? '',
      subnets: (IPAM?.Config ?? []).flatMap(config => subnetOf(config)),
    })),
  endpoints: async networkId => {
    const path = `/networks/${encodeURIComponent(networkId)}`;
    const { Containers } = Network.parse(await askEngine(socketPath, path));
    return Object.values(Containers ?? {}).map(({ EndpointID, IPv4Address, IPv6Address }) => ({
      id: EndpointID,
      addresses: [IPv4Address, IPv6Address].flatMap(address => bare(address)),
    }));
  },
});

type Config = NonNullable<NonNullable<z.infer<typeof Networks>[number]['IPAM']>['Config']>[number];

/** Of a subnet that cannot be read nothing of tsnet's own IPAM can be. */
function subnetOf({ Subnet, IPRange, Gateway, AuxiliaryAddresses }: Config): EngineSubnet[] {
  const [subnet] = cidr(Subnet);
  const [range] = cidr(IPRange);
  if (subnet === undefined) return [];
  const reserved = [Gateway, ...Object.values(AuxiliaryAddresses ?? {})].flatMap(address => bare(address));
  return [{ subnet, reserved, ...(range === undefined ? {} : { range }) }];
}

function cidr(given: string | null | undefined): string[] {
  try {
    return given ? [canonicalCidr(given, { network: true })] : [];
  } catch {
    return [];
  }
}

function bare(given: string | null | undefined): string[] {
  try {
    if (!given) return [];
    const { family, value } = parseAddress(bareOf(given));
    return [formatAddress(family, value)];
  } catch {
    return [];
  }
}
