/** Where the daemon listens; the file's name is the driver's. */
export const PLUGIN_SOCKET = '/run/docker/plugins/tsnet.sock';

/** The engine's API. */
export const DOCKER_SOCKET = '/var/run/docker.sock';

/** Where networks, endpoints and addresses are kept. */
export const STATE_DIRECTORY = '/var/lib/tsnet';
