import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { failPoint } from '../../fail-points.ts';
import { countLegacyRules, DOCKER_USER, type DockerFamily, legacyRule } from '../../firewall/docker-user.ts';
import type { DockerUserOutcome } from './docker-user.ts';

const TOOLS = {
  ip: { program: 'iptables-legacy', tables: '/proc/thread-self/net/ip_tables_names' },
  ip6: { program: 'ip6tables-legacy', tables: '/proc/thread-self/net/ip6_tables_names' },
} as const satisfies Record<DockerFamily, { program: string; tables: string }>;

const UNCHANGED: DockerUserOutcome = { changed: false };

/** ensureDockerUser() for hosts whose iptables is the old one, which nftables does not see. */
export const ensureLegacy = (family: DockerFamily): Promise<DockerUserOutcome> => settle(family, 1);

/** removeDockerUser() for such hosts. */
export const removeLegacy = (family: DockerFamily): Promise<DockerUserOutcome> => settle(family, 0);

async function settle(family: DockerFamily, wanted: 0 | 1): Promise<DockerUserOutcome> {
  const { program, tables } = TOOLS[family];
  // Asking the program itself would load the module and so create the tables where nobody wants them.
  const names = await readFile(tables, 'utf8').catch(() => '');
  if (!names.split('\n').includes('filter')) return UNCHANGED;

  // -w: the engine holds the same lock while it programs its own rules.
  const iptables = (...args: string[]) =>
    execa(program, ['-w', '5', ...args], { reject: false, timeout: 10_000 });
  const listing = await iptables('-S', DOCKER_USER);
  if (listing.failed) {
    // Without exit code it did not run at all; exit code 1 says that there is no such chain.
    if (listing.exitCode === 1) return UNCHANGED;
    return { changed: false, problem: `${program}: ${listing.shortMessage}` };
  }
  let count = countLegacyRules(listing.stdout);
  let changed = false;
  while (count !== wanted) {
    failPoint('iptables', program);
    const result = await iptables(count < wanted ? '-I' : '-D', DOCKER_USER, ...legacyRule());
    if (result.failed) return { changed, problem: `${program}: ${result.stderr || result.shortMessage}` };
    changed = true;
    count += count < wanted ? 1 : -1;
  }
  return { changed };
}
