import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { TsnetError } from '../../src/errors.ts';
import type { PortBinding } from '../../src/protocol/types.ts';
import { publicationsOf } from './publications.ts';
import { endpointOn, FakeCall, join, NETWORKS, type NetworkName, World } from './world.ts';

/** Few host ports, so that containers get in each other's way. */
const port: fc.Arbitrary<PortBinding> = fc
  .record({
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
    port: fc.constantFrom(80, 81),
    hostPort: fc.constantFrom(0, 8080, 8081),
    hostIp: fc.option(fc.constantFrom('127.0.0.1', '::1', '198.18.0.5'), { nil: undefined }),
  })
  .map(({ hostIp, ...rest }) => ({
    ...rest,
    ...(hostIp === undefined ? {} : { hostIp }),
    hostPortEnd: rest.hostPort,
  }));
const ends = fc.constantFrom('revoke', 'leave', 'deleteEndpoint');
const container = fc.record({
  network: fc.constantFrom<NetworkName>('nat', 'guest', 'lan', 'lan2'),
  ports: fc.array(port, { maxLength: 4 }),
  ends: fc.array(ends, { maxLength: 3 }),
});

it('any containers that come and go in any order leave the host as if they had never been', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(container, { maxLength: 5 }),
      fc.infiniteStream(fc.nat()),
      async (all, picks) => {
        const world = new World();
        for (const name of new Set(all.map(({ network }) => network)))
          await world.driver.createNetwork(NETWORKS[name], new FakeCall());
        const before = JSON.stringify(world.snapshot());

        const lives = all.map(({ network, ports, ends: endings }, number) => {
          const endpoint = endpointOn(network, number);
          const ref = { networkId: endpoint.networkId, endpointId: endpoint.endpointId };
          const call = new FakeCall();
          const begin = [
            () => world.driver.createEndpoint(endpoint, call),
            () => join(world, endpoint, call, ports),
            // refused where the ports of another are in the way
            () => world.driver.program({ ...ref, ports }, call).catch(refusedOnly),
          ];
          const end = [...endings, 'deleteEndpoint' as const].map(
            name => () => world.driver[name](ref, call),
          );
          return [...begin, ...end];
        });
        for (const pick of picks) {
          const left = lives.filter(steps => steps.length > 0);
          if (left.length === 0) break;
          await left[pick % left.length]?.shift()?.();
        }
        expect(publicationsOf(world)).toEqual([]);
        expect([...world.kernel.model.holds.keys()]).toEqual([]);
        expect(JSON.stringify(world.snapshot())).toBe(before);
      },
    ),
    { numRuns: 200 },
  );
});

function refusedOnly(error: unknown): void {
  if (!(error instanceof TsnetError) || error.code !== 'PORT_TAKEN') throw error;
}
