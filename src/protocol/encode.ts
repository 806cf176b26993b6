import { TsnetError } from '../errors.ts';
import type { CreateEndpointAnswer, CreateEndpointRequest, JoinAnswer, PoolAnswer } from './types.ts';

/** An answer that would make the engine fail in a worse way than an error does. */
const defect = (what: string): TsnetError => new TsnetError('INTERNAL', what);

/**
 * The engine refuses an answered field that it had set itself, even with an equal value; so only those are sent
 * that it left open.
 * @throws TsnetError INTERNAL when the driver chose another value than the engine had set
 */
export const encodeCreateEndpoint = (
  request: CreateEndpointRequest,
  answer: CreateEndpointAnswer,
): object => {
  const open = (key: keyof CreateEndpointAnswer, name: string): Record<string, string> => {
    const asked = request[key];
    const answered = answer[key];
    if (answered === undefined || answered === '' || asked === answered) return {};
    if (asked !== undefined) throw defect(`the driver answered ${name} ${answered} where ${asked} was asked`);
    return { [name]: answered };
  };
  return {
    Interface: {
      ...open('mac', 'MacAddress'),
      ...open('address4', 'Address'),
      ...open('address6', 'AddressIPv6'),
    },
  };
};

/** `types.StaticRoute` of libnetwork: any other value is a connected route. */
const NEXTHOP = 0;
const CONNECTED = 1;
const DEFAULT_ROUTES = ['0.0.0.0/0', '::/0'];

const encodeRoute = (route: JoinAnswer['staticRoutes'][number]): object => {
  // An empty destination is a nil pointer to engines from 26 on, and the request dies with it.
  if (route.destination === '') throw defect('the driver answered a route without destination');
  if (route.nextHop === undefined) return { Destination: route.destination, RouteType: CONNECTED };
  // Engines from 28 on fail the start of the container on it; a default route is said with Gateway.
  if (DEFAULT_ROUTES.includes(route.destination))
    throw defect('the driver answered a default route with next hop');
  return { Destination: route.destination, RouteType: NEXTHOP, NextHop: route.nextHop };
};

/** @throws TsnetError INTERNAL for an answer that breaks the engine */
export const encodeJoin = (answer: JoinAnswer): object => {
  const { srcName, dstPrefix } = answer.interfaceName;
  // With an empty prefix the engine names the interface "0".
  if (srcName === '' || dstPrefix === '') throw defect('the driver answered an interface without name');
  return {
    // Without a source the engine moves and configures nothing. A prefix it needs all the same when it starts anew with
    // live-restore: to read the number off the interface's name (engines up to 24 fail otherwise).
    InterfaceName: { SrcName: srcName ?? '', DstPrefix: dstPrefix },
    ...(answer.gateway4 ? { Gateway: answer.gateway4 } : {}),
    ...(answer.gateway6 ? { GatewayIPv6: answer.gateway6 } : {}),
    StaticRoutes: answer.staticRoutes.map(encodeRoute),
    DisableGatewayService: answer.disableGatewayService,
  };
};

export const encodePool = (answer: PoolAnswer): object => ({
  PoolID: answer.poolId,
  Pool: answer.pool,
  Data: answer.data,
});

/**
 * @param address CIDR: the engine takes a bare address for none at all
 * @throws TsnetError INTERNAL for a bare one
 */
export const encodeAddress = (address: string): object => {
  if (!address.includes('/')) throw defect(`the IPAM driver answered ${address} without prefix length`);
  return { Address: address, Data: {} };
};
