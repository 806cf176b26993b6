/**
 * The floor of the measurements: a remote network driver that does nothing, so that what is left is the engine
 * itself. Run in a lab host as `node null-driver.ts SOCKET`; the socket's name is the driver's.
 */
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

/** What a join answers, by network: see `joinAnswer`. */
const joins = new Map<string, object>();

/**
 * The network's option `gateway` is an address that the container reaches already. With it the engine moves the
 * default route as it does for any other driver. Without one it would put the container on `docker_gwbridge` as well,
 * unless it is told not to.
 */
function joinAnswer(call: Record<string, Record<string, Record<string, string>>>): object {
  const gateway = call['Options']?.['com.docker.network.generic']?.['gateway'];
  return gateway === undefined ? { DisableGatewayService: true } : { Gateway: gateway };
}

function answer(method: string, body: unknown): object {
  const call = body as Record<string, string>;
  switch (method) {
    case '/Plugin.Activate':
      return { Implements: ['NetworkDriver'] };
    case '/NetworkDriver.GetCapabilities':
      return { Scope: 'local' };
    case '/NetworkDriver.CreateNetwork':
      joins.set(String(call['NetworkID']), joinAnswer(body as Parameters<typeof joinAnswer>[0]));
      return {};
    case '/NetworkDriver.Join':
      return joins.get(String(call['NetworkID'])) ?? {};
    default:
      return {};
  }
}

const server = createServer(async (request, response) => {
  const empty = request.headers['content-length'] === '0';
  response.end(JSON.stringify(answer(request.url ?? '', empty ? {} : await json(request))));
});
server.keepAliveTimeout = 0;
server.listen(process.argv[2]);
