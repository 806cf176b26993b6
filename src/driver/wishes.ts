import { TsnetError } from '../errors.ts';
import { isLinkName } from '../host-state/names.ts';
import type { Endpoint } from '../model.ts';
import { sysctlsOf } from '../modes/inside.ts';

const IFNAME = 'com.docker.network.endpoint.ifname';
const SYSCTLS = 'com.docker.network.endpoint.sysctls';
/** The engine's own options come in the same map. */
const OF_ENGINE = 'com.docker.';

/**
 * What `--network name=n,driver-opt=…` asks for an interface in the container. Other options are the engine's.
 * @throws TsnetError OPTION_INVALID, OPTION_UNKNOWN
 */
export function wishesOf(options: Readonly<Record<string, string>>): Pick<Endpoint, 'ifname' | 'sysctls'> {
  const unknown = Object.keys(options).find(name => !name.startsWith(OF_ENGINE));
  if (unknown !== undefined) {
    const what = `option ${JSON.stringify(unknown)} of the endpoint is not known`;
    throw new TsnetError('OPTION_UNKNOWN', what, {
      remedy: `Those of an endpoint are ${IFNAME} and ${SYSCTLS}; all others belong to the network.`,
    });
  }
  const ifname = options[IFNAME];
  const sysctls = options[SYSCTLS];
  if (ifname !== undefined && !(isLinkName(ifname) && /^[A-Za-z]/.test(ifname))) {
    const wanted = 'a link name that begins with a letter';
    throw new TsnetError('OPTION_INVALID', `option ${IFNAME}=${JSON.stringify(ifname)} is not ${wanted}`);
  }
  if (sysctlsOf(sysctls, 'eth0') === undefined) {
    const wanted = 'a list of net.X.Y.IFNAME.Z=value with commas between';
    throw new TsnetError('OPTION_INVALID', `option ${SYSCTLS}=${JSON.stringify(sysctls)} is not ${wanted}`);
  }
  return {
    ...(ifname === undefined ? {} : { ifname }),
    ...(sysctls === undefined ? {} : { sysctls }),
  };
}
