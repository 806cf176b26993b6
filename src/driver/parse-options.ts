import { disjointCidrs } from '../addresses.ts';
import { TsnetError } from '../errors.ts';
import type { MacvlanMode } from '../host-state/types.ts';
import type { Attachment, GatewayMode, ModeName, NetworkOptions, PublishPlace } from '../model.ts';
import { ANNOUNCE, OPTIONS, type OptionName, type OptionSpec } from '../options.ts';
import { nearest } from './nearest.ts';
import { checkValue, isTrue, networksIn } from './option-value.ts';

const SPECS = new Map<string, OptionSpec>(Object.entries(OPTIONS));
const CANONICAL = new Map<string, string>(
  [...SPECS].flatMap(([name, spec]) => [name, ...(spec.aliases ?? [])].map(alias => [alias, name] as const)),
);

/**
 * Reads the `-o key=value` map of a network.
 * @param internal `--internal`: a macvlan network is then cut off from any parent, as with the engine's own driver
 * @throws TsnetError OPTION_UNKNOWN (naming the nearest known option), OPTION_INVALID, OPTION_CONFLICT
 */
export function parseOptions(generic: Readonly<Record<string, string>>, internal: boolean): NetworkOptions {
  const given = canonicalise(generic);
  const text = (name: OptionName): string | undefined => given.get(name);
  for (const [name, value] of given) {
    const spec = SPECS.get(name);
    if (spec !== undefined) checkValue(name, spec, value);
  }

  const mode = modeOf(text('mode'), text('parent') ?? text('macvlan_mode'));
  for (const name of given.keys()) {
    const modes = SPECS.get(name)?.modes ?? [];
    if (!modes.includes(mode)) {
      throw new TsnetError(
        'OPTION_CONFLICT',
        `option ${name} is of mode ${modes.join(' or ')}, the network is ${mode}`,
      );
    }
  }

  const macvlanMode = (text('macvlan_mode') ?? 'bridge') as MacvlanMode;
  const parent = internal ? undefined : text('parent') || undefined;
  const bridgeName = text('com.docker.network.bridge.name') || undefined;
  const shimWanted = text('shim') === undefined ? undefined : isTrue(text('shim'));
  const shimPossible = mode === 'macvlan' && parent !== undefined && macvlanMode === 'bridge';
  if (shimWanted === true && !shimPossible) {
    throw new TsnetError('OPTION_CONFLICT', 'option shim=true needs a parent and macvlan_mode=bridge');
  }
  const publish = (text('publish') ?? 'self') as PublishPlace;
  if ((publish === 'host' || publish === 'both') && !(shimPossible && (shimWanted ?? true))) {
    throw new TsnetError('OPTION_CONFLICT', `option publish=${publish} needs the shim`);
  }
  const onHost = mode === 'bridge' || publish === 'host' || publish === 'both';
  for (const name of ['allow_from', 'firewall'] as const) {
    if (onHost || text(name) === undefined || text(name) === 'own') continue;
    throw new TsnetError(
      'OPTION_CONFLICT',
      `option ${name} is about ports published on the host, and publish=${publish} publishes none there`,
    );
  }
  const gatewayMode = (family: 4 | 6): GatewayMode => {
    const value = (text(`com.docker.network.bridge.gateway_mode_ipv${family}`) ?? 'nat') as GatewayMode;
    if (value === 'isolated' && !internal) {
      throw new TsnetError(
        'OPTION_CONFLICT',
        `option gateway_mode_ipv${family}=isolated is for internal networks`,
        { remedy: 'Create the network with --internal, or choose another gateway mode.' },
      );
    }
    return value;
  };
  const hostBinding = text('com.docker.network.bridge.host_binding_ipv4') || undefined;
  return {
    mode,
    ...(parent === undefined ? {} : { parent }),
    macvlanMode,
    shim: shimPossible && (shimWanted ?? true),
    mtu: Number(text('com.docker.network.driver.mtu') || 0),
    ...(bridgeName === undefined ? {} : { bridgeName }),
    icc: isTrue(text('com.docker.network.bridge.enable_icc') ?? 'true'),
    masquerade: isTrue(text('com.docker.network.bridge.enable_ip_masquerade') ?? 'true'),
    ifacePrefix: text('com.docker.network.container_iface_prefix') ?? 'eth',
    publish,
    ...(hostBinding === undefined ? {} : { hostBinding }),
    gatewayMode4: gatewayMode(4),
    gatewayMode6: gatewayMode(6),
    isolation: isTrue(text('isolation') ?? 'true'),
    allowFrom: disjointCidrs(networksIn(text('allow_from') ?? '')),
    firewall: text('firewall') === 'ufw' ? 'ufw' : 'own',
    attach: (text('attach') ?? 'auto') as Attachment,
    announceCount: Number(text('com.docker.network.advertise_addr_nmsgs') || ANNOUNCE.count),
    announceMs: Number(text('com.docker.network.advertise_addr_ms') || ANNOUNCE.ms),
  };
}

function canonicalise(generic: Readonly<Record<string, string>>): Map<string, string> {
  const given = new Map<string, string>();
  for (const [key, value] of Object.entries(generic)) {
    const name = CANONICAL.get(key);
    if (name === undefined) {
      throw new TsnetError(
        'OPTION_UNKNOWN',
        `option ${JSON.stringify(key.slice(0, 64))} is not known; ${nearest(key, [...CANONICAL.keys()])} is the nearest`,
      );
    }
    const other = given.get(name);
    if (other !== undefined && other !== value) {
      throw new TsnetError(
        'OPTION_CONFLICT',
        `option ${name} is given twice, as ${JSON.stringify(other)} and as ${JSON.stringify(value)}`,
      );
    }
    given.set(name, value);
  }
  return given;
}

function modeOf(mode: string | undefined, macvlanHint: string | undefined): ModeName {
  if (mode === 'bridge' || mode === 'macvlan') return mode;
  return macvlanHint === undefined ? 'bridge' : 'macvlan';
}
