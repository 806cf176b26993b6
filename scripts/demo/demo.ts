/**
 * What tsnet is for, on a throwaway Docker host that is gone at the end: a NAT network, a macvlan network whose host
 * reaches its containers, a compose project, and what happens when things break. Everything shown is measured; the
 * exit status is 1 when something is not as promised, 130 after Ctrl-C.
 */
import { constants } from 'node:os';
import { Command, Option } from 'commander';
import type { Generation } from '../../test/lab/engines.ts';
import { hostLinks, leftovers } from './host-links.ts';
import { builtinMacvlan, doors, sideBySide } from './macvlan-builtin.ts';
import { publishedPorts } from './published.ts';
import { reachMatrix } from './reach.ts';
import { Stage } from './stage.ts';
import { deleteShim, powerFailure } from './survival.ts';
import { bad, good, title } from './terminal.ts';

const LAN = '--subnet 198.18.0.0/24 --ip-range 198.18.0.192/27 --gateway 198.18.0.1 -o parent=eth0';

/** @returns what is not as promised */
async function play(stage: Stage): Promise<string[]> {
  const { host, peer } = stage;
  console.log(`Docker host ${host.address} with engine ${host.engine.version}, LAN peer ${peer.address}`);

  title("Docker's own macvlan driver, to compare");
  const builtin = await builtinMacvlan(stage, LAN);

  title('The same with tsnet, and a NAT network');
  await stage.docker('network create -d tsnet web');
  await stage.docker(`network create -d tsnet ${LAN} lan`);
  for (const [name, network] of [
    ['web1', 'web'],
    ['web2', 'web'],
    ['lan1', 'lan'],
    ['lan2', 'lan'],
  ] as const) {
    await stage.run(name, network);
  }
  await stage.compose('up -d', async () => {
    const [front, back] = [await stage.addressOf('front'), await stage.addressOf('back')];
    return `front runs at ${front}, back at ${back}`;
  });
  await stage.docker('exec front ping -c 1 back', () => 'front finds back by its name');

  title('What is in the kernel now');
  console.log(await hostLinks(stage));

  title('Who reaches whom (pings)');
  // or the peer's packets to the containers of a bridge would not even come as far as the host
  for (const subnet of await bridgeSubnets(stage)) {
    await peer.exec('ip', ['route', 'add', subnet, 'via', host.address]);
  }
  const { table, broken } = await reachMatrix(stage);
  console.log(`${table}\nEach as docs/modes says, except what bears (!): ${broken.length}`);

  title('The host and its macvlan containers');
  const own = await doors(stage, await stage.addressOf('lan1'));
  console.log(sideBySide(builtin, own));
  if (!own.host || !own.peer) broken.push('lan1 is not reached from everywhere');
  if (builtin.host || !builtin.peer) broken.push("Docker's own macvlan driver is not as it is known to be");

  title('Published ports');
  broken.push(...(await publishedPorts(stage)));

  title('When things break');
  await deleteShim(stage, 'lan1');
  await powerFailure(stage);
  const after = await reachMatrix(stage);
  console.log(after.broken.length === 0 ? `  and everyone reaches whom they did before` : after.table);
  broken.push(...after.broken.map(one => `after the power failure: ${one}`));

  title('And away with it');
  await stage.compose('down -t 0', async () => 'done');
  await stage.docker('rm -f web1 web2 lan1 lan2');
  await stage.docker('network rm web lan');
  const left = await leftovers(stage);
  console.log(`Links and routes of tsnet left on the host: ${left}`);
  if (left > 0) broken.push(`${left} links or routes are left on the host`);
  return broken;
}

async function bridgeSubnets(stage: Stage): Promise<string[]> {
  const format = '{{(index .IPAM.Config 0).Subnet}}';
  return (await stage.tsnet.docker('network', 'inspect', '-f', format, 'web', 'shop_default')).split('\n');
}

const { engine } = new Command('scripts/demo/demo.ts')
  .addOption(new Option('--engine <generation>').choices(['20.10', '28']).default('28'))
  .parse()
  .opts<{ engine: Generation }>();

let interruption: 'SIGINT' | 'SIGTERM' | undefined;
const interrupted = new Promise<never>((_, reject) => {
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      interruption ??= name;
      reject(new Error(`ended by ${name}`));
    });
  }
});
const start = performance.now();
let stage: Stage | undefined;
let status = 0;
try {
  // should this be interrupted, the lab's own guard removes what there is of it
  stage = await Promise.race([Stage.set(engine), interrupted]);
  const broken = await Promise.race([play(stage), interrupted]);
  for (const one of broken) console.log(bad(`not as promised: ${one}`));
  if (broken.length > 0) status = 1;
} catch (error) {
  status = interruption === undefined ? 1 : 128 + constants.signals[interruption];
  console.error(bad(`demo: ${(error as Error).message}`));
} finally {
  await stage?.destroy();
}
const took = ((performance.now() - start) / 1000).toFixed(1);
if (status === 0) console.log(good(`\nAll as promised, in ${took} s; the throwaway host is gone.`));
process.exit(status);
