import { z } from 'zod';
import { TsnetError } from '../errors.ts';
import type { Endpoint, Network, NetworkOptions, PortRequest, PublishedPort, Subnet } from '../model.ts';
import { ANNOUNCE, ATTACHMENTS, GATEWAY_MODES, MACVLAN_MODES, PUBLISH_PLACES } from '../options.ts';

/**
 * What a stored document must look like. `satisfies` ties each shape to the model: a field that is added there and not
 * here would be dropped silently at the next load, so it fails to compile.
 */
type Shape<T> = Record<keyof T, z.ZodType>;

const subnet: z.ZodType<Subnet> = z.object({
  pool: z.string(),
  gateway: z.string().exactOptional(),
  aux: z.record(z.string(), z.string()),
} satisfies Shape<Subnet>);

const gatewayMode = z.enum(GATEWAY_MODES);

const options: z.ZodType<NetworkOptions> = z.object({
  mode: z.enum(['bridge', 'macvlan']),
  parent: z.string().exactOptional(),
  macvlanMode: z.enum(MACVLAN_MODES),
  shim: z.boolean(),
  mtu: z.int().min(0),
  bridgeName: z.string().exactOptional(),
  icc: z.boolean(),
  masquerade: z.boolean(),
  ifacePrefix: z.string(),
  publish: z.enum(PUBLISH_PLACES),
  hostBinding: z.string().exactOptional(),
  gatewayMode4: gatewayMode,
  gatewayMode6: gatewayMode,
  isolation: z.boolean(),
  allowFrom: z.array(z.string()),
  firewall: z.enum(['own', 'ufw']),
  // What follows came later: records of before have none of it.
  attach: z.enum(ATTACHMENTS).default('auto'),
  announceCount: z.int().default(ANNOUNCE.count),
  announceMs: z.int().default(ANNOUNCE.ms),
} satisfies Shape<NetworkOptions>);

const lifecycle = z.enum(['live', 'deleting']);

const network: z.ZodType<Network> = z.object({
  id: z.string(),
  name: z.string().exactOptional(),
  lifecycle,
  options,
  internal: z.boolean(),
  ipv4: z.boolean(),
  ipv6: z.boolean(),
  subnets4: z.array(subnet),
  subnets6: z.array(subnet),
  base: z.object({
    kind: z.enum(['own', 'foreign']),
    link: z.string(),
    type: z.enum(['bridge', 'dummy', 'parent']),
  } satisfies Shape<Network['base']>),
} satisfies Shape<Network>);

const protocol = z.enum(['tcp', 'udp', 'sctp']);

const portRequest: z.ZodType<PortRequest> = z.object({
  protocol,
  port: z.int(),
  hostIp: z.string().exactOptional(),
  hostPort: z.int(),
  hostPortEnd: z.int(),
} satisfies Shape<PortRequest>);

const publishedPort: z.ZodType<PublishedPort> = z.object({
  protocol,
  hostAddress: z.string(),
  hostPort: z.int(),
  port: z.int(),
} satisfies Shape<PublishedPort>);

const endpoint: z.ZodType<Endpoint> = z.object({
  id: z.string(),
  networkId: z.string(),
  lifecycle,
  address4: z.string().exactOptional(),
  address6: z.string().exactOptional(),
  mac: z.string(),
  macFromEngine: z.boolean(),
  joined: z.boolean(),
  left: z.literal(true).exactOptional(),
  sandbox: z.string().exactOptional(),
  inside: z.string().exactOptional(),
  prefix: z.string().exactOptional(),
  ifname: z.string().exactOptional(),
  sysctls: z.string().exactOptional(),
  ports: z.array(portRequest),
  published: z.array(publishedPort),
} satisfies Shape<Endpoint>);

/** @throws TsnetError STATE_CORRUPT naming the row, if the text is no such document or is one of another id */
function decode<T extends { readonly id: string }>(
  kind: string,
  schema: z.ZodType<T>,
  id: string,
  text: string,
): T {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new TsnetError('STATE_CORRUPT', `the record of ${kind} ${id} is no JSON`, { cause });
  }
  const result = schema.safeParse(document);
  if (!result.success) {
    const [issue] = result.error.issues;
    const where = issue?.path.join('.') || 'the whole';
    throw new TsnetError('STATE_CORRUPT', `the record of ${kind} ${id} is damaged at ${where}`, {
      cause: result.error,
    });
  }
  if (result.data.id !== id) {
    throw new TsnetError('STATE_CORRUPT', `the record of ${kind} ${id} is that of ${result.data.id}`);
  }
  return result.data;
}

export const decodeNetwork = (id: string, text: string): Network => decode('network', network, id, text);
export const decodeEndpoint = (id: string, text: string): Endpoint => decode('endpoint', endpoint, id, text);
