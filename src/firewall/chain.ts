import { PACKET_MARK } from '../host-state/mark.ts';

export interface Chain {
  readonly name: string;
  /** Where the kernel calls a base chain; absent for chains that are jumped to. */
  readonly hook?: {
    readonly type: 'filter' | 'nat';
    readonly hook: 'prerouting' | 'forward' | 'output' | 'postrouting';
    readonly priority: number;
  };
  readonly rules: readonly string[];
}

const hex = (value: number): string => `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
export const MARK = hex(PACKET_MARK);
export const ALL_BUT_MARK = hex(~PACKET_MARK);

/** What differs between the families in a rule, by version. */
export const VERSIONS = [
  { version: '4', ip: 'ip', icmp: 'icmp' },
  { version: '6', ip: 'ip6', icmp: 'icmpv6' },
] as const;

export const bothVersions = (rule: (family: (typeof VERSIONS)[number]) => string): string[] =>
  VERSIONS.map(rule);
