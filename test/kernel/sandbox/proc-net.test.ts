import { describe, expect, it } from 'vitest';
import { linkNames, routes4, routes6 } from '../../../src/kernel/sandbox/proc-net.ts';

const DEV = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
  eth0:     516       6    0    0    0     0          0         0        0       0    0    0    0     0       0          0
vlan@1.5: 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0
`;

const ROUTE = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010012C6\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000012C6\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
*\t800912C6\t00000000\t0200\t0\t0\t0\t80FFFFFF\t0\t0\t0
`;

const ROUTE6 = `20010db8000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 20010db8000000000000000000000001 00000400 00000001 00000000 00000003     eth0
20010db8000000000000000000000002 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000002 00000000 80200001     eth0
ff000000000000000000000000000000 08 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000002 00000000 80200001       lo
`;

describe('/proc/net', () => {
  it('names the links', () => expect(linkNames(DEV)).toEqual(['lo', 'eth0', 'vlan@1.5']));

  it('says where IPv4 routes lead to, default routes left out', () => {
    expect(routes4(ROUTE)).toEqual(['198.18.0.0/24', '198.18.9.128/25']);
  });

  it('says where IPv6 routes lead to, without those of addresses, multicast and the loopback', () => {
    expect(routes6(ROUTE6)).toEqual(['2001:db8::/64']);
  });

  it('of a kernel without one of the files says nothing', () => {
    expect([linkNames(''), routes4(''), routes6('')]).toEqual([[], [], []]);
  });
});
