/**
 * The floor of the measurements: a remote network driver that does nothing, so that what is left is the engine
 * itself. Run in a lab host as `node null-driver.ts SOCKET`; the socket's name is the driver's.
 */
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

/** What a join answers, by network: see `gateway`. */
const joins = new Map<string, object>();

/**
 * The network's option `gateway`: an address that the container reaches already. With it the engine moves the
 * default route as it does for any other driver; it would leave it alone if the answer named no gateway.
 */
function gateway(call: Record<string, Record<string, Record<string, string>>>): string | undefined {
  return call['Options']?.['com.docker.network.generic']?.['gateway'];
}

function answer(method: string, body: unknown): object {
  const call = body as Record<string, string>;
  switch (method) {
    case '/Plugin.Activate':
      return { Implements: ['NetworkDriver'] };
    case '/NetworkDriver.GetCapabilities':
      return { Scope: 'local' };
    case '/NetworkDriver.CreateNetwork':
      joins.set(String(call['NetworkID']), { Gateway: gateway(body as Parameters<typeof gateway>[0]) });
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
