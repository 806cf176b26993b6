import type { RequestHandler } from 'express';
import { VERSION } from '../version.ts';
import { encodeCreateEndpoint, encodeJoin } from './encode.ts';
import { type CallContext, Methods } from './methods.ts';
import { createEndpoint, endpointRef, join, program } from './schemas/endpoint.ts';
import { allocateNetwork, createNetwork, discovery, gwAllocCheck, networkRef } from './schemas/network.ts';
import { shortId } from './summary.ts';
import type { Call, EndpointRef, NetworkDriver } from './types.ts';

const networkName = (id: string): string => `network ${shortId(id)}`;
const endpointName = (ref: EndpointRef): string =>
  `endpoint ${shortId(ref.endpointId)} of network ${shortId(ref.networkId)}`;

/** The methods of `NetworkDriver`. */
export const networkRouter = (driver: NetworkDriver, context: CallContext): RequestHandler => {
  const methods = new Methods('NetworkDriver', context);
  networkMethods(methods, driver);
  endpointMethods(methods, driver);
  swarmMethods(methods);
  return methods.router;
};

const networkMethods = (methods: Methods, driver: NetworkDriver): void => {
  methods.bare('GetCapabilities', call => {
    call.about(`tsnet ${VERSION}`);
    driver.registered();
    // As Docker's own macvlan: a network of swarm's that is made of local ones spans hosts, and so does its DNS.
    return { Scope: 'local', ConnectivityScope: 'global', GwAllocChecker: true };
  });
  methods.with('GwAllocCheck', {
    schema: gwAllocCheck,
    about: () => 'network to be created',
    handle: async (flags, call) => {
      const answer = await driver.gwAllocCheck(flags, call);
      return { SkipIPv4: answer.skipIpv4, SkipIPv6: answer.skipIpv6 };
    },
  });
  methods.with('CreateNetwork', {
    schema: createNetwork,
    about: request => networkName(request.networkId),
    handle: async (request, call) => {
      await driver.createNetwork(request, call);
      return {};
    },
  });
  methods.with('DeleteNetwork', {
    schema: networkRef,
    about: networkName,
    handle: async (networkId, call) => {
      await driver.deleteNetwork(networkId, call);
      return {};
    },
  });
};

const endpointMethods = (methods: Methods, driver: NetworkDriver): void => {
  methods.with('CreateEndpoint', {
    schema: createEndpoint,
    about: endpointName,
    handle: async (request, call) =>
      encodeCreateEndpoint(request, await driver.createEndpoint(request, call)),
  });
  methods.with('EndpointOperInfo', {
    schema: endpointRef,
    about: endpointName,
    handle: async (ref, call) => ({ Value: await driver.operInfo(ref, call) }),
  });
  methods.with('Join', {
    schema: join,
    about: endpointName,
    handle: async (request, call) => encodeJoin(await driver.join(request, call)),
  });
  methods.with('ProgramExternalConnectivity', {
    schema: program,
    about: endpointName,
    handle: async (request, call) => {
      await driver.program(request, call);
      return {};
    },
  });
  const takeBack = (name: string, handle: (ref: EndpointRef, call: Call) => Promise<void>): void =>
    methods.with(name, {
      schema: endpointRef,
      about: endpointName,
      handle: async (ref, call) => {
        await handle(ref, call);
        return {};
      },
    });
  takeBack('RevokeExternalConnectivity', (ref, call) => driver.revoke(ref, call));
  takeBack('Leave', (ref, call) => driver.leave(ref, call));
  takeBack('DeleteEndpoint', (ref, call) => driver.deleteEndpoint(ref, call));
};

/** What a swarm sends to every driver; a driver of local scope has nothing to do on it. */
const swarmMethods = (methods: Methods): void => {
  methods.with('AllocateNetwork', {
    schema: allocateNetwork,
    about: request => networkName(request.networkId),
    // The answer replaces the user's options on every node, so they go back as they came.
    handle: request => ({ Options: request.options }),
  });
  methods.with('FreeNetwork', { schema: networkRef, about: networkName, handle: () => ({}) });
  for (const name of ['DiscoverNew', 'DiscoverDelete']) {
    methods.with(name, { schema: discovery, about: () => 'node', handle: () => ({}) });
  }
};
