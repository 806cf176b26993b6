import type { Fault } from '../world/types.ts';
import {
  containersWith,
  type MarkedLink,
  markedLinks,
  nothing,
  oneOf,
  restartContainers,
  untilHealed,
} from './ask.ts';

const isUp = (link: string): string => `ip link show dev ${link} up | grep -q ${link}`;

/** A link of tsnet's is dealt with by hand, and heals by itself. */
const healing = (
  kind: string,
  which: MarkedLink['kind'],
  damage: (link: string) => string,
  healed: (link: string) => string = isUp,
): Fault => ({
  kind,
  strike: async target => {
    const { host } = target;
    const link = oneOf(
      target,
      (await markedLinks(host)).filter(one => one.kind === which),
    );
    if (link === undefined) return nothing;
    // It may be gone since.
    await host.sh(damage(link.name), { reject: false });
    return () => untilHealed(host, healed(link.name));
  },
});

export const bridgeDeleted = healing('bridge-deleted', 'bridge', link => `ip link delete ${link}`);
export const bridgeDown = healing('bridge-down', 'bridge', link => `ip link set ${link} down`);
/** The network's gateway, and with it the host's route to the containers. */
export const bridgeAddressesFlushed = healing(
  'bridge-addresses-flushed',
  'bridge',
  link => `ip addr flush dev ${link} scope global`,
  link => `ip addr show dev ${link} scope global | grep -q inet`,
);
export const portDown = healing('port-down', 'port', link => `ip link set ${link} down`);
export const portUnplugged = healing(
  'port-unplugged',
  'port',
  link => `ip link set ${link} nomaster`,
  link => `ip link show dev ${link} | grep -q ' master '`,
);
export const shimDeleted = healing('shim-deleted', 'shim', link => `ip link delete ${link}`);
export const shimDown = healing('shim-down', 'shim', link => `ip link set ${link} down`);

/** The host's end of a container's pair, and so the pair: the container has to be restarted. */
export const portDeleted: Fault = {
  kind: 'port-deleted',
  strike: async target => {
    const { host } = target;
    const port = oneOf(
      target,
      (await markedLinks(host)).filter(({ kind }) => kind === 'port'),
    );
    if (port?.endpointId === undefined) return nothing;
    const { name, endpointId } = port;
    await host.sh(`ip link delete ${name}`, { reject: false });
    return async () => restartContainers(host, await containersWith(host, endpointId));
  },
};

/** A container's own link, deleted from within the container, of whatever mode: the container has to be restarted. */
export const containerLinkDeleted: Fault = {
  kind: 'container-link-deleted',
  strike: async target => {
    const { host, world } = target;
    const running = [...world.containers.values()].filter(
      ({ state, attachments }) => state === 'running' && attachments.size > 0,
    );
    const container = oneOf(target, running);
    if (container === undefined) return nothing;
    const { stdout } = await host.docker('inspect', '-f', '{{.State.Pid}}', container.name);
    const pid = String(stdout).trim();
    if (!/^[1-9]\d*$/.test(pid)) return nothing;
    await host.sh(`nsenter -t ${pid} -n ip link delete eth0`, { reject: false });
    return () => restartContainers(host, [container.name]);
  },
};

export const LINK_FAULTS: readonly Fault[] = [
  bridgeDeleted,
  bridgeDown,
  bridgeAddressesFlushed,
  portDown,
  portUnplugged,
  portDeleted,
  containerLinkDeleted,
  shimDeleted,
  shimDown,
];
