/**
 * Every error that tsnet tells a user, in one table: docs/errors.md is generated from it.
 * `status` is the HTTP status on the plugin socket, `cause` what is generally behind it, `remedy` what to do.
 */
const TABLE = {
  BODY_EMPTY: {
    status: 400,
    cause:
      'The request had no body. The engine sends an empty body when it repeats a call whose connection broke (moby#35459); what it asked for is lost.',
    remedy: 'Repeat the docker command.',
  },
  BODY_INVALID: {
    status: 400,
    cause: 'The body was no JSON, or a field was missing or of the wrong type.',
    remedy:
      'Check that the caller is a Docker Engine of version 20.10 or newer; the message names the field.',
  },
  METHOD_UNKNOWN: {
    status: 404,
    cause: 'The path is no method of the network driver or IPAM driver protocol.',
    remedy: 'None is needed: the engine takes this answer for a method that the driver does not have.',
  },
  DEADLINE: {
    status: 500,
    cause: 'The call was not finished in time and has been rolled back.',
    remedy: 'Look in the log for what it waited for; raise --deadline (below 30 s) on a very slow host.',
  },
  INTERNAL: {
    status: 500,
    cause: 'A defect in tsnet.',
    remedy: 'Report it with the log entry of this call.',
  },
  STARTING: {
    status: 503,
    cause: 'tsnet has not finished restoring the host from its store.',
    remedy: 'Repeat the command in a moment; if it stays so, the log says what the restore waits for.',
  },
  SOCKET_IN_USE: {
    status: 500,
    cause: 'Another process answers on the plugin socket.',
    remedy: 'Stop the other daemon, or name another path with --socket.',
  },
  SOCKET_PATH: {
    status: 500,
    cause: 'The plugin socket cannot be at the path, or systemd passed something else than one socket.',
    remedy: 'Name another path with --socket, of at most 107 bytes, with nothing but an old socket there.',
  },
  DAEMON: {
    status: 503,
    cause: 'A command asked the daemon, and none answers on its socket or it is of another version.',
    remedy: 'Start it (tsnet serve), or name its socket with --socket.',
  },
  INSTANCE_RUNNING: {
    status: 503,
    cause:
      'Another tsnet serves this host: there is room for one, for its table in nftables and its links are one per network namespace.',
    remedy:
      'Keep one of the two: remove this one, or end the other, see docker plugin ls and systemctl status tsnet. A managed plugin that waits takes over by itself.',
  },
  INSTANCE_LEFT: {
    status: 503,
    cause:
      'Another tsnet has served this host until now, and links of its networks are left, of which this one has no record; containers may be using them.',
    remedy:
      'Start the other one again, or remove its networks while it runs; tsnet purge --force removes what is left.',
  },
  CAPABILITY: {
    status: 503,
    cause: 'tsnet was started without a right that it needs for everything it does.',
    remedy:
      'As a managed plugin: install it again and grant the capabilities that it asks for. As a service: leave CAP_NET_ADMIN in CapabilityBoundingSet=, and run it as root.',
  },
  STATE_IN_USE: {
    status: 500,
    cause: 'Another tsnet daemon holds the state directory.',
    remedy: 'Stop the other daemon, or name another directory with --state.',
  },
  STATE_UNWRITABLE: {
    status: 500,
    cause: 'The state directory cannot be written: read-only, missing permissions, or not a directory.',
    remedy: 'Make it writable for root; tsnet tries again at the next call.',
  },
  STATE_FULL: {
    status: 500,
    cause: 'No space is left for the state file.',
    remedy: 'Free space on its file system; nothing was changed, repeat the command then.',
  },
  STATE_CORRUPT: {
    status: 500,
    cause: 'The state file is damaged.',
    remedy:
      'Restore it from a backup, or move all of tsnet.db* away and recreate the networks; tsnet has left it and the host as they are.',
  },
  STATE_TOO_NEW: {
    status: 500,
    cause: 'The state file was written by a newer tsnet.',
    remedy: 'Run that version again, or move the file away and recreate the networks.',
  },
  NETWORK_UNKNOWN: {
    status: 404,
    cause: 'The engine named a network that tsnet has no record of.',
    remedy: 'Remove the network with docker network rm and create it again.',
  },
  NETWORK_EXISTS: {
    status: 409,
    cause: 'A network of the same id exists with other settings.',
    remedy: 'Remove it first with docker network rm.',
  },
  ENDPOINT_UNKNOWN: {
    status: 404,
    cause: 'The engine named an endpoint that tsnet has no record of.',
    remedy: 'Restart the container, or disconnect it from the network and connect it again.',
  },
  ENDPOINT_EXISTS: {
    status: 409,
    cause: 'An endpoint of the same id exists with other settings.',
    remedy: 'Restart the container.',
  },
  ENDPOINT_JOINED: {
    status: 409,
    cause: 'The engine put an endpoint into a second sandbox.',
    remedy: 'Restart the container, or disconnect it from the network and connect it again.',
  },
  ID_INVALID: {
    status: 400,
    cause: 'An id is neither 64 hexadecimal digits nor 25 of base 36.',
    remedy: 'Check what sends requests to the plugin socket.',
  },
  ADDRESS_INVALID: {
    status: 400,
    cause: 'An address or CIDR does not parse, or does not lie in the subnet.',
    remedy: 'Correct --subnet, --gateway, --ip-range, --aux-address, --ip or --ip6.',
  },
  MAC_INVALID: {
    status: 400,
    cause: 'A MAC address does not parse, or is a multicast or zero address.',
    remedy: 'Give six hexadecimal pairs with an even first byte, such as 02:42:0a:00:00:05.',
  },
  OPTION_UNKNOWN: {
    status: 400,
    cause: 'A driver option (-o) that tsnet does not know.',
    remedy: 'See docs/options.md; the message names the nearest known option.',
  },
  OPTION_INVALID: {
    status: 400,
    cause: 'A driver option has a value outside its type or range.',
    remedy: 'See docs/options.md for the values it takes.',
  },
  OPTION_CONFLICT: {
    status: 400,
    cause: 'Two driver options, or an option and the mode, exclude each other.',
    remedy: 'Leave one of them out.',
  },
  SUBNET_OVERLAP: {
    status: 409,
    cause: 'The subnet overlaps one of another bridge network, and the host could not route to both.',
    remedy: 'Choose another --subnet.',
  },
  LINK_TAKEN: {
    status: 409,
    cause: 'A link of the wanted name exists and does not bear the mark of tsnet.',
    remedy: 'Rename or remove that link, or choose another name.',
  },
  BRIDGE_MISSING: {
    status: 409,
    cause: 'The bridge that the network was created on is gone; it was not made by tsnet and is not remade.',
    remedy: 'Create the bridge again, or remove the network.',
  },
  NOT_A_BRIDGE: {
    status: 400,
    cause:
      'com.docker.network.bridge.name names a link that is no bridge, or a bridge of another tsnet network.',
    remedy: 'Name a bridge, or a name that does not exist yet.',
  },
  PARENT_MISSING: {
    status: 400,
    cause: 'The parent link does not exist on this host.',
    remedy: 'See ip link for the names; the message lists them.',
  },
  PARENT_WIFI: {
    status: 400,
    cause:
      'The parent is a wireless link: access points accept one MAC address a station, so macvlan cannot work.',
    remedy: 'Use a wired parent, or a bridge network.',
  },
  PARENT_LOOPBACK: {
    status: 400,
    cause: 'The parent is the loopback link.',
    remedy: 'Name a link that leads to a LAN, or leave parent out for an isolated network.',
  },
  PARENT_BUSY: {
    status: 409,
    cause:
      'The parent is a port of a bridge or bond, carries ipvlan links, or is held exclusively by a passthru network.',
    remedy: 'Use the bridge itself as parent, or another link.',
  },
  PARENT_DOWN: {
    status: 409,
    cause: 'The parent link is administratively down.',
    remedy: 'Bring it up: ip link set NAME up.',
  },
  MTU_TOO_LARGE: {
    status: 400,
    cause: 'The MTU is above that of the parent link.',
    remedy: 'Leave com.docker.network.driver.mtu out, or set it to at most the MTU of the parent.',
  },
  KERNEL: {
    status: 500,
    cause: 'The kernel refused a change; the message has its error number and own words.',
    remedy:
      'Check that tsnet has CAP_NET_ADMIN and that the kernel has the link type; the log has the full operation.',
  },
  KERNEL_UNSUPPORTED: {
    status: 501,
    cause: 'The kernel lacks a feature that the network needs.',
    remedy: 'Load the module that the message names, or use another mode.',
  },
  FIREWALL: {
    status: 500,
    cause: 'nftables refused a change; the message has its own words.',
    remedy: 'Check that the kernel has nf_tables and nft_masq, and that libnftables.so.1 is installed.',
  },
  PORT_TAKEN: {
    status: 409,
    cause: 'A port of the host that is to be published is in use; the message says by whom.',
    remedy: 'Publish on another port or host address, or stop what holds it.',
  },
  PORTS_EXHAUSTED: {
    status: 409,
    cause: 'No port of the range asked for, or of the range of ephemeral ports, is free on the host.',
    remedy: 'Give a larger range, or stop what holds its ports.',
  },
  DESCRIPTORS_EXHAUSTED: {
    status: 500,
    cause:
      'tsnet may have no more files open: a published port takes one for each address family, and some are left for its other work.',
    remedy:
      'Raise LimitNOFILE= of what starts tsnet (tsnet.service, for the managed plugin containerd.service and docker.service) and restart it, or publish fewer ports.',
  },
  HOST_ADDRESS: {
    status: 400,
    cause: 'The address that a port is to be published on is none of this host.',
    remedy: 'See ip address for those it has; leave the address out to publish on all of them.',
  },
  UFW_MISSING: {
    status: 409,
    cause: 'firewall=ufw is asked for, and ufw is not installed where tsnet can read its rules (/etc/ufw).',
    remedy: 'Install ufw, or leave the option out.',
  },
  SPACE_UNKNOWN: {
    status: 400,
    cause: 'The address space is not one of tsnet.',
    remedy: 'Use the spaces that the IPAM driver announces: tsnet-local and tsnet-global.',
  },
  POOL_UNKNOWN: {
    status: 404,
    cause: 'The pool id is none that tsnet has given out.',
    remedy: 'Remove the network and create it again.',
  },
  POOL_OVERLAP: {
    status: 409,
    cause: 'The subnet overlaps, without being equal to, a pool that is in use.',
    remedy: 'Choose another --subnet, or one equal to the existing pool.',
  },
  POOLS_EXHAUSTED: {
    status: 409,
    cause: 'Every predefined pool is in use.',
    remedy: 'Give --subnet, or remove networks that are not needed.',
  },
  ADDRESSES_EXHAUSTED: {
    status: 409,
    cause: 'Every address of the pool is taken.',
    remedy: 'Remove containers, or create the network with a larger --subnet or --ip-range.',
  },
  ADDRESS_TAKEN: {
    status: 409,
    cause: 'The address asked for is in use.',
    remedy: 'Choose another --ip or --ip6, or remove the container that holds it.',
  },
} as const satisfies Record<string, { status: number; cause: string; remedy: string }>;

export type ErrorCode = keyof typeof TABLE;
export const ERRORS: Readonly<Record<ErrorCode, { status: number; cause: string; remedy: string }>> = TABLE;

/**
 * An error with a code of the table. `message` is what the user reads: code, what happened to which object, remedy.
 * @param what one sentence without a full stop that names the object as the user knows it
 * @param options.cause the error underneath, kept for the log
 * @param options.remedy replaces the table's remedy where a better one is known
 */
export class TsnetError extends Error {
  override readonly name = 'TsnetError';
  readonly code: ErrorCode;
  readonly what: string;
  readonly remedy: string;

  constructor(code: ErrorCode, what: string, options: { cause?: unknown; remedy?: string } = {}) {
    const remedy = options.remedy ?? ERRORS[code].remedy;
    super(
      withoutControls(`${code}: ${shortened(what)}. ${remedy}`),
      options.cause === undefined ? {} : { cause: options.cause },
    );
    this.code = code;
    this.what = what;
    this.remedy = remedy;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** A value of a request can be of any length, and somebody is to read this. */
const MOST_CHARACTERS = 2000;
const shortened = (what: string): string =>
  what.length > MOST_CHARACTERS ? `${what.slice(0, MOST_CHARACTERS)}…` : what;

/**
 * The message goes to the user's terminal. Quoted text of a request (JSON.stringify) still has DEL, the C1 controls and
 * what turns the direction of writing in it, and a terminal obeys them.
 */
function withoutControls(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
