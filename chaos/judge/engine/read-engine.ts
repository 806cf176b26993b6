import type { Host } from '../../../test/lab/host.ts';
import { readContainer } from './read-container.ts';
import { readNetwork } from './read-network.ts';
import type { EngineView } from './types.ts';

/**
 * Asks the engine for all of its networks and containers.
 * @throws Error when it does not answer, or what is listed is gone a moment later
 */
export async function readEngine(host: Host): Promise<EngineView> {
  const get = async (path: string): Promise<unknown> => {
    const { status, body } = await host.api('GET', path);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  };
  const [networks, containers] = await Promise.all([get('/networks'), get('/containers/json?all=1')]);
  const ids = (list: unknown): string[] => (list as { Id: string }[]).map(({ Id }) => Id);
  return {
    networks: await Promise.all(ids(networks).map(async id => readNetwork(await get(`/networks/${id}`)))),
    containers: await Promise.all(
      ids(containers).map(async id => readContainer(await get(`/containers/${id}/json`))),
    ),
  };
}
