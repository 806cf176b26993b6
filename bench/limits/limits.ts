/**
 * What tsnet promises of itself, without an engine: memory, time to start, delay of the event loop, addresses a second,
 * and that none of it depends on how many containers there are. Needs root and dist/tsnet.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { machineText, thisMachine } from '../machine.ts';
import { markdownTable } from '../markdown.ts';
import { BareHost } from './bare-host.ts';
import { figure, isMissed, limitText, type Result, verdict } from './limit.ts';
import { measureAddresses } from './measure-addresses.ts';
import { measureAttach } from './measure-attach.ts';
import { measureMemory } from './measure-memory.ts';
import { measureStart } from './measure-start.ts';
import { measureStorm } from './measure-storm.ts';
import { populate } from './population.ts';

const FILE = join(import.meta.dirname, '../../dist/bench/limits.json');
const machine = thisMachine();
const results: Result[] = [];

await step('addresses', async () => measureAddresses());
await step('an empty host', async () => {
  await using host = await BareHost.create();
  const start = await measureStart(host, 'empty', 150);
  const idle = await measureMemory(await host.start().ready(), 'idle', 64);
  return [...start, idle];
});
await step('populated hosts', async () => {
  await using few = await BareHost.create();
  await using crowded = await BareHost.create();
  await using wide = await BareHost.create();
  const filled = async (host: BareHost, what: string, networks: number, each: number) => {
    const daemon = await host.start().ready();
    return { what, host, daemon, population: await populate(host, daemon, { networks, each }) };
  };
  const candidates = [
    await filled(few, '10 containers on 1 network', 1, 10),
    await filled(crowded, '1,000 containers on 1 network', 1, 1000),
    await filled(wide, '1,000 containers on 200 networks', 200, 5),
  ];
  const attaches = await measureAttach(candidates, 1.2);
  const memories: Result[] = [];
  for (const { what, daemon } of candidates.slice(1)) memories.push(await measureMemory(daemon, what, 80));
  const starts: Result[] = [];
  for (const { what, host, daemon } of candidates.slice(1)) {
    await daemon.stop();
    starts.push(...(await measureStart(host, what, 1000)));
  }
  return [...memories, ...starts, ...attaches];
});
await step('a storm', measureStorm);

const missed = results.filter(isMissed);
const rows = results.map(result => [
  result.measure,
  limitText(result),
  figure(result.got, result.unit),
  verdict(result),
]);
console.log(
  `${machineText(machine)}, load ${machine.load.toFixed(1)}\n\n${markdownTable(['measure', 'limit', 'got', 'held'], rows)}\n`,
);
for (const { measure, note } of results) if (note !== undefined) console.log(`- ${measure}: ${note}`);
await mkdir(dirname(FILE), { recursive: true });
await writeFile(FILE, `${JSON.stringify({ machine, results }, undefined, 2)}\n`);
process.exitCode = missed.length > 0 ? 1 : 0;

async function step(what: string, measure: () => Promise<Result[]>): Promise<void> {
  process.stderr.write(`limits: ${what}\n`);
  results.push(...(await measure()));
}
