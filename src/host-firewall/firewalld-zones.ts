/** Zones that tsnet binds bridges to, the preferred one first: the engine's, and one that every firewalld has. */
export const ZONES = ['docker', 'trusted'] as const;

/**
 * The links of each zone, from the output of `firewall-cmd --get-active-zones`:
 *
 *     docker
 *       interfaces: docker0 tsb0d40dffb90
 *     public (default)
 *       sources: 192.0.2.0/24
 */
export function activeZones(output: string): ReadonlyMap<string, readonly string[]> {
  const zones = new Map<string, string[]>();
  let links: string[] = [];
  for (const line of output.split('\n')) {
    const [, zone] = /^(\S+)/.exec(line) ?? [];
    const [, names] = /^\s+interfaces:\s*(.*)$/.exec(line) ?? [];
    if (zone !== undefined) {
      links = [];
      zones.set(zone, links);
    } else if (names !== undefined) {
      links.push(...names.split(/\s+/).filter(name => name !== ''));
    }
  }
  return zones;
}

/** @param output of `firewall-cmd --get-zones` */
export const chooseZone = (output: string): string | undefined =>
  ZONES.find(zone => output.split(/\s+/).includes(zone));
