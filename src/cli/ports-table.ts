import Table from 'cli-table3';
import type { Attachment } from '../engine/client.ts';
import type { ListedPort } from '../protocol/admin-router.ts';

/** A published port as `tsnet ports --json` prints it. */
export interface PortRow extends Omit<ListedPort, 'network'> {
  /** Name; null when the engine does not say it. */
  readonly container: string | null;
  readonly network: string | null;
}

const HEAD = ['CONTAINER', 'NETWORK', 'PUBLISHED', 'LEADS TO', 'PROTOCOL'];

/** No frame, columns two spaces apart, as docker's own tables. */
const PLAIN = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ mid: '', 'mid-mid': '', 'left-mid': '', 'right-mid': '' },
  ...{ left: '', middle: '  ', right: '' },
};

/**
 * Published ports with names, sorted by container, protocol, port and address.
 * @param attachments of running containers, by the id of their endpoint
 */
export function rowsOf(
  ports: readonly ListedPort[],
  attachments: ReadonlyMap<string, Attachment>,
): PortRow[] {
  const rows = ports.map(({ network, ...port }) => {
    const attachment = attachments.get(port.endpointId);
    return {
      container: attachment?.container ?? null,
      network: network ?? attachment?.network ?? null,
      ...port,
    };
  });
  return rows.sort(
    (a, b) =>
      byText(containerOf(a), containerOf(b)) ||
      byText(a.protocol, b.protocol) ||
      a.hostPort - b.hostPort ||
      byText(a.hostAddress, b.hostAddress),
  );
}

/** The rows under a header, a line each; what has no name goes by the first digits of its id. */
export function portsTable(rows: readonly PortRow[]): string {
  const table = new Table({
    head: HEAD,
    chars: PLAIN,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) {
    table.push([
      printable(containerOf(row)),
      printable(row.network ?? row.networkId.slice(0, 12)),
      `${addressText(row.hostAddress)}:${row.hostPort}`,
      `${addressText(row.containerAddress)}:${row.containerPort}`,
      row.protocol,
    ]);
  }
  return table.toString().replace(/ +$/gm, '');
}

const containerOf = ({ container, endpointId }: PortRow): string => container ?? endpointId.slice(0, 12);
const addressText = (address: string): string => (address.includes(':') ? `[${address}]` : address);
const byText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** The engine takes names of networks with control characters in them, which a terminal would obey. */
const printable = (name: string): string => name.replace(/\p{C}/gu, '\u{fffd}');
