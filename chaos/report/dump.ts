import { writeFile } from 'node:fs/promises';
import type { History } from '../campaign/history.ts';
import type { CampaignOptions } from '../campaign/options.ts';
import type { Stage } from '../campaign/stage.ts';
import type { Violation } from '../world/types.ts';

/** What the host has, as an administrator would look at it. */
const LOOK = `
docker ps -a; docker network ls
for n in $(docker network ls -q -f driver=tsnet); do docker network inspect $n; done
for c in $(docker ps -aq); do
  echo "== $c"; docker inspect $c
  pid=$(docker inspect -f '{{.State.Pid}}' $c)
  [ "$pid" = 0 ] || nsenter -t $pid -n sh -c 'ip -d addr; ip route; ip -6 route; ip neigh; nft list ruleset'
done
ip -d addr; ip route show table all; ip -6 route show table all; ip neigh; ip -6 neigh show proxy
nft list ruleset; iptables-save; ss -xap; ss -tlnp; ls -la /run/docker/netns /run/docker/plugins /var/lib/tsnet; ps axf
node -e '
  const { DatabaseSync } = require("node:sqlite");
  const db = new DatabaseSync("/var/lib/tsnet/tsnet.db", { readOnly: true, timeout: 2000 });
  for (const { name } of db.prepare("SELECT name FROM sqlite_master WHERE type = \\"table\\"").all())
    console.log(name, JSON.stringify(db.prepare("SELECT * FROM " + name).all(), null, 1));
'
`;
const LINES = 1500;

/** Writes down all that is needed to find out why a promise was not kept. */
export async function dump(
  file: string,
  { host, daemon, world }: Stage,
  options: CampaignOptions,
  history: History,
  violations: readonly Violation[],
): Promise<void> {
  const look = await host.exec('bash', ['-c', `exec 2>&1\n${LOOK}`], { reject: false, timeout: 60_000 });
  const last = (text: string) => text.split('\n').slice(-LINES).join('\n');
  const parts: Record<string, string> = {
    options: JSON.stringify(options, undefined, 1),
    violations: JSON.stringify(violations, undefined, 1),
    'last operations': history.last(150).join('\n'),
    world: JSON.stringify(
      { networks: [...world.networks.values()], containers: [...world.containers.values()] },
      (_key, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value),
      1,
    ),
    host: String(look.stdout),
    'log of tsnet': last(daemon.log()),
    'log of the engine': last(host.engineOutput()),
  };
  const text = Object.entries(parts).map(([title, body]) => `######## ${title}\n${body}\n`);
  await writeFile(file, text.join('\n'));
}
