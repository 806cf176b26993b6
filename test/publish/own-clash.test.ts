import { describe, expect, it } from 'vitest';
import { ownClash } from '../../src/publish/own-clash.ts';
import type { WantedPort } from '../../src/publish/wanted.ts';

const wanted = (port: number, first: number, ...addresses: string[]): WantedPort => ({
  protocol: 'tcp',
  port,
  addresses,
  first,
  last: first,
});

describe('two ports of a container', () => {
  it.each([
    ['the same address', ['0.0.0.0', '::'], ['0.0.0.0', '::'], '0.0.0.0:8080/tcp'],
    ['an address and all of its family', ['0.0.0.0', '::'], ['127.0.0.1'], '127.0.0.1:8080/tcp'],
    ['all of a family and one of them', ['::1'], ['0.0.0.0', '::'], '[::]:8080/tcp'],
  ])('clash on %s', (_, one, other, text) => {
    expect(ownClash([wanted(80, 8080, ...one), wanted(81, 8080, ...other)])).toBe(
      `port ${text} is asked for twice, for ports 80 and 81`,
    );
  });

  it.each<[string, WantedPort, WantedPort]>([
    ['numbers', wanted(80, 8080, '0.0.0.0'), wanted(81, 8081, '0.0.0.0')],
    ['addresses', wanted(80, 8080, '127.0.0.1'), wanted(81, 8080, '127.0.0.2')],
    ['families', wanted(80, 8080, '0.0.0.0'), wanted(81, 8080, '::')],
    ['protocols', wanted(80, 8080, '::'), { ...wanted(81, 8080, '::'), protocol: 'udp' }],
    ['free numbers', wanted(80, 0, '::'), wanted(81, 0, '::')],
    ['ranges', { ...wanted(80, 8080, '::'), last: 8089 }, { ...wanted(81, 8080, '::'), last: 8089 }],
  ])('do not clash on other %s', (_, one, other) => {
    expect(ownClash([one, other])).toBeUndefined();
  });

  it('are one when it is asked for twice', () => {
    expect(ownClash([wanted(80, 8080, '::'), wanted(80, 8080, '::')])).toBeUndefined();
  });
});
