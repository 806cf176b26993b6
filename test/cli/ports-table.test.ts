import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { portsTable, rowsOf } from '../../src/cli/ports-table.ts';
import type { ListedPort } from '../../src/protocol/admin-router.ts';
import { PORT } from './samples.ts';

const NAMES = new Map([
  ['1'.repeat(64), { container: 'shop', network: 'web' }],
  ['2'.repeat(64), { container: 'api', network: 'lan' }],
]);

const lines = (ports: readonly ListedPort[], names = NAMES) => portsTable(rowsOf(ports, names)).split('\n');

describe('the table of ports', () => {
  it('has a line for each, columns in line, under a header', () => {
    const ports: ListedPort[] = [
      PORT,
      { ...PORT, hostAddress: '::', containerAddress: '2001:db8::2' },
      {
        ...PORT,
        endpointId: '2'.repeat(64),
        network: 'lan',
        mode: 'macvlan',
        protocol: 'udp',
        hostAddress: '198.18.9.4',
        hostPort: 53,
        containerAddress: '198.18.9.4',
        containerPort: 5353,
        at: 'self',
      },
    ];
    expect(lines(ports)).toEqual([
      'CONTAINER  NETWORK  PUBLISHED      LEADS TO          PROTOCOL',
      'api        lan      198.18.9.4:53  198.18.9.4:5353   udp',
      'shop       web      0.0.0.0:8080   198.18.0.2:80     tcp',
      'shop       web      [::]:8080      [2001:db8::2]:80  tcp',
    ]);
  });

  it('is a header alone when nothing is published', () => {
    expect(lines([])).toEqual(['CONTAINER  NETWORK  PUBLISHED  LEADS TO  PROTOCOL']);
  });

  it('shows the beginning of an id where there is no name', () => {
    const { network: _network, ...port } = PORT;
    const [, line] = lines([port], new Map());
    expect(line).toMatch(/^1{12} +a{12} +0\.0\.0\.0:8080 /);
  });

  it("takes a network's name from the engine while the daemon has not learned it", () => {
    const { network: _network, ...port } = PORT;
    expect(lines([port])[1]).toMatch(/^shop +web /);
  });

  it('prints no control characters of a name to the terminal', () => {
    const text = portsTable(rowsOf([{ ...PORT, network: 'we\u{1b}[2Jb\n' }], NAMES));
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
    expect(text.split('\n')).toHaveLength(2);
  });
});

const port = fc.record<ListedPort>({
  networkId: fc.constant(PORT.networkId),
  endpointId: fc.constantFrom('1'.repeat(64), '2'.repeat(64), '3'.repeat(64)),
  mode: fc.constantFrom('bridge', 'macvlan'),
  protocol: fc.constantFrom('tcp', 'udp', 'sctp'),
  hostAddress: fc.constantFrom('0.0.0.0', '127.0.0.1', '::'),
  hostPort: fc.integer({ min: 1, max: 65535 }),
  containerAddress: fc.constant('198.18.0.2'),
  containerPort: fc.constant(80),
  at: fc.constantFrom('host', 'self'),
});

describe('the rows of ports', () => {
  it('are sorted by container, protocol and port as a number, whatever their order was', () => {
    fc.assert(
      fc.property(fc.array(port), fc.array(port), (some, more) => {
        const rows = rowsOf([...some, ...more], NAMES);
        for (const [index, row] of rows.entries()) {
          const before = rows[index - 1];
          if (before === undefined) continue;
          const key = ({ container, endpointId, protocol, hostPort, hostAddress }: typeof row) => [
            container ?? endpointId.slice(0, 12),
            protocol,
            String(hostPort).padStart(5, '0'),
            hostAddress,
          ];
          expect(key(before).join('\0') <= key(row).join('\0')).toBe(true);
        }
        expect(rows).toHaveLength(some.length + more.length);
        expect(portsTable(rowsOf([...more, ...some], NAMES))).toBe(portsTable(rows));
      }),
    );
  });

  it('say null, not an id, where there is no name', () => {
    const { network: _network, ...unnamed } = PORT;
    expect(rowsOf([unnamed], new Map())).toEqual([{ ...unnamed, container: null, network: null }]);
  });
});
