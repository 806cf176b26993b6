import type { Command } from 'commander';
import { type Attachment, viewAttachments } from '../engine/client.ts';
import type { ListedPort } from '../protocol/admin-router.ts';
import { askPorts } from './ask-daemon.ts';
import { DOCKER_SOCKET, PLUGIN_SOCKET } from './defaults.ts';
import { portsTable, rowsOf } from './ports-table.ts';

interface PortsOptions {
  socket: string;
  dockerSocket: string;
  json?: true;
}

/** `tsnet ports`: the published ports, which `docker ps` shows for the engine's own drivers only. */
export function addPorts(program: Command): void {
  program
    .command('ports')
    .description(
      "list the published ports of containers, which docker ps shows for Docker's own drivers only",
    )
    .option('--json', 'an array of objects instead of a table')
    .option('--socket <path>', 'the plugin socket of the daemon', PLUGIN_SOCKET)
    .option(
      '--docker-socket <path>',
      "the engine's API, asked for names of containers; empty: never",
      DOCKER_SOCKET,
    )
    .addHelpText('after', HELP)
    .action(listPorts);
}

const HELP = `
0.0.0.0 and [::] stand for every address of the host. Ports that a macvlan
network publishes on the container's own address are listed with that address.
A container whose name the engine does not tell goes by the id of its endpoint.`;

/** @throws TsnetError DAEMON */
async function listPorts({ socket, dockerSocket, json }: PortsOptions): Promise<void> {
  const ports = await askPorts(socket);
  const rows = rowsOf(ports, await attachmentsOf(ports, dockerSocket));
  process.stdout.write(`${json === true ? JSON.stringify(rows, undefined, 2) : portsTable(rows)}\n`);
}

/** Never a failure: the list is worth having without names. */
async function attachmentsOf(
  ports: readonly ListedPort[],
  dockerSocket: string,
): Promise<ReadonlyMap<string, Attachment>> {
  const networkIds = [...new Set(ports.map(port => port.networkId))];
  if (networkIds.length === 0 || dockerSocket === '') return new Map();
  try {
    return await viewAttachments(dockerSocket, networkIds);
  } catch (error) {
    process.stderr.write(`tsnet: names of containers are missing: ${(error as Error).message}\n`);
    return new Map();
  }
}
