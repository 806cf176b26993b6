import { type Case, type NetworkSpec, NULL_DRIVER } from '../cases.ts';

/**
 * The network of a case that containers of another network are connected to.
 *
 * @param reachable bare address that those containers reach already, for the driver that does nothing to name as
 *   gateway: only then does the engine move the default route as it does for any other driver
 * @throws Error for the case without a network
 */
export function networkBeside({ name, network }: Case, reachable: string): NetworkSpec {
  if (network === undefined) throw new Error(`bench: ${name} has no network`);
  return network.driver === NULL_DRIVER ? { ...network, options: { gateway: reachable } } : network;
}
