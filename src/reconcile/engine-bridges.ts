import { EMPTY, type HostState } from '../host-state/types.ts';
import type { LinkInfo } from '../kernel/link-info.ts';

/**
 * Whether a link is the bridge of one of the engine's own networks, by the names the engine gives them. A bridge that
 * its user named (com.docker.network.bridge.name) looks like any other of the host.
 */
export const isEngineBridge = ({ kind, name }: LinkInfo): boolean =>
  kind === 'bridge' && /^(docker0|docker_gwbridge|br-[0-9a-f]{12})$/.test(name);

/**
 * Keeps tsnet's containers out of the engine's own networks, as those keep each other out: what is accepted in
 * DOCKER-USER never meets the rules that do so.
 */
export const apartFromEngine = (links: readonly LinkInfo[]): HostState => ({
  ...EMPTY,
  firewall: links.filter(isEngineBridge).map(link => ({ set: 'engine_bridges', key: [link.name] })),
});
