import { afterEach, beforeEach } from 'vitest';
import type { BridgeLink, VethLink } from '../../../src/host-state/types.ts';
import { Rtnetlink } from '../../../src/kernel/rtnetlink/rtnetlink.ts';
import { type TestNamespace, testNamespace } from '../namespace.ts';

export interface Fixture {
  ns: TestNamespace;
  rtnl: Rtnetlink;
}

/** A fresh namespace and a Rtnetlink in it for each test of the calling file. */
export function inOwnNamespace(): Fixture {
  const fixture = {} as Fixture;
  beforeEach(async () => {
    fixture.ns = await testNamespace();
    fixture.rtnl = Rtnetlink.open(fixture.ns.path);
  });
  afterEach(async () => {
    fixture.rtnl.close();
    await fixture.ns[Symbol.asyncDispose]();
  });
  return fixture;
}

export const bridge = (name: string, more: Partial<BridgeLink> = {}): BridgeLink => ({
  kind: 'bridge',
  name,
  alias: `tsnet:${name}`,
  up: true,
  ...more,
});

export const veth = (name: string, more: Partial<VethLink> = {}): VethLink => ({
  kind: 'veth',
  name,
  alias: `tsnet:net:${name}`,
  up: true,
  peer: { name: `${name}p` },
  ...more,
});
