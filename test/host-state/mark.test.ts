import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ADDRESS_PROTOCOL,
  endpointMark,
  isMarked,
  isShimMark,
  networkMark,
  ROUTE_PROTOCOL,
  shimMark,
} from '../../src/host-state/mark.ts';

const NETWORK = 'ab'.repeat(32);
const ENDPOINT = 'cd'.repeat(32);

describe('ownership marks', () => {
  it('name the object in full', () => {
    expect(networkMark(NETWORK)).toBe(`tsnet:${NETWORK}`);
    expect(endpointMark(NETWORK, ENDPOINT)).toBe(`tsnet:${NETWORK}:${ENDPOINT}`);
    expect(shimMark('eth0')).toBe('tsnet:shim:eth0');
  });

  it('fit into the 256 bytes of a link alias', () => {
    expect(Buffer.byteLength(endpointMark(NETWORK, ENDPOINT))).toBeLessThan(256);
  });

  it('are known again, and shims among them', () => {
    for (const mark of [networkMark(NETWORK), endpointMark(NETWORK, ENDPOINT), shimMark('eth0')])
      expect(isMarked(mark)).toBe(true);
    expect(isShimMark(shimMark('eth0'))).toBe(true);
    expect(isShimMark(networkMark(NETWORK))).toBe(false);
    expect(isShimMark(endpointMark(NETWORK, ENDPOINT))).toBe(false);
  });

  it("are not seen in anybody else's alias", () => {
    expect(isMarked(undefined)).toBe(false);
    expect(isShimMark(undefined)).toBe(false);
    for (const alias of ['', 'uplink', 'TSNET:x', ' tsnet:x', 'my tsnet:x', 'tsnet'])
      expect(isMarked(alias)).toBe(false);
    fc.assert(
      fc.property(fc.string(), text => {
        expect(isMarked(text)).toBe(text.startsWith('tsnet:'));
      }),
    );
  });
});

describe('protocol numbers', () => {
  it("are neither the kernel's own nor those of a routing daemon", () => {
    expect(ADDRESS_PROTOCOL).toBeGreaterThanOrEqual(128);
    expect(ADDRESS_PROTOCOL).toBeLessThan(256);
    // iproute2's rt_protos: redirect, kernel, boot, static, gated … bgp, isis, ospf, rip, eigrp
    const taken = [0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 42, 99, 186, 187, 188, 189, 192];
    expect(taken).not.toContain(ROUTE_PROTOCOL);
    expect(ROUTE_PROTOCOL).toBeLessThan(256);
  });
});
