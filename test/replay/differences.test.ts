import { expect, it } from 'vitest';
import { difference, differences } from './engine-table.ts';
import { type CallStep, readTrace } from './trace.ts';

const GENERATIONS = ['20.10', '26', '28', '29'];

/** The calls of the chapter whose name has these words. */
function calls(generation: string, words: string): CallStep[] {
  const chapter = readTrace(generation).chapters.find(({ name }) => name.includes(words));
  expect(chapter, words).toBeDefined();
  return (chapter?.steps ?? []).filter(step => 'call' in step);
}
const count = (steps: readonly CallStep[], method: string) =>
  steps.filter(({ call }) => call.endsWith(`.${method}`)).length;
const after = (steps: readonly CallStep[], method: string) =>
  steps.slice(steps.findLastIndex(({ call }) => call.endsWith(`.${method}`)));
const until = (steps: readonly CallStep[], method: string) =>
  steps.slice(
    0,
    steps.findIndex(({ call }) => call.endsWith(`.${method}`)),
  );
const yes = (is: boolean) => (is ? 'yes' : 'no');

const BRIDGE = 'a container on a bridge';
const RESTORED = 'live-restore';

/** How often a container leaves of whose attachment something was refused last. */
function leaves(generation: string, words: string): string {
  const steps = calls(generation, words);
  const refused = steps.findLastIndex(({ status }) => status !== 200);
  return String(count(until(steps.slice(refused), 'DeleteEndpoint'), 'Leave'));
}

/** What the traces say, by row of the table. */
const ROWS: Record<string, (generation: string) => string> = {
  'the sandbox is there when a container that starts is joined': generation =>
    yes(calls(generation, BRIDGE).some(({ sandbox }) => sandbox === true)),
  'it is asked whether a gateway needs an address (`GwAllocCheck`)': generation =>
    yes(count(calls(generation, BRIDGE), 'GwAllocCheck') > 0),
  '`GetDefaultAddressSpaces` for a network of both families': generation =>
    // not the one of a registration
    String(count(until(calls(generation, 'tsnet is killed'), 'CreateNetwork'), 'GetDefaultAddressSpaces')),
  "its IPAM is told the container's name": generation =>
    yes(calls(generation, BRIDGE).some(({ body }) => JSON.stringify(body)?.includes('endpoint.name'))),
  '`EndpointOperInfo` for a container that starts': generation =>
    String(count(calls(generation, 'on the LAN'), 'EndpointOperInfo')),
  '`Leave` for a container whose `Join` is refused': generation => leaves(generation, 'Join is refused'),
  '`Leave` for a container whose port is refused': generation => leaves(generation, 'what is refused'),
  '`Revoke` for containers that died with the engine': generation =>
    yes(count(after(calls(generation, 'tells of them'), 'Activate'), 'RevokeExternalConnectivity') > 0),
  '`EndpointOperInfo` for containers that outlived it (live-restore)': generation =>
    yes(
      count(until(after(calls(generation, RESTORED), 'Activate'), 'CreateNetwork'), 'EndpointOperInfo') > 0,
    ),
  '`Revoke` for those when they stop': generation =>
    yes(count(calls(generation, RESTORED).slice(-5), 'RevokeExternalConnectivity') > 0),
  'for those, a network connected later can become the way out': generation =>
    yes(count(after(calls(generation, RESTORED), 'Join'), 'ProgramExternalConnectivity') > 0),
};

it.each(Object.entries(ROWS))('%s', (row, seen) => {
  expect(difference(row)).toEqual(Object.fromEntries(GENERATIONS.map(name => [name, seen(name)])));
});

it('the lower half of the table has these rows and no others', () => {
  const rows = [...differences().keys()];
  const first = rows.indexOf(Object.keys(ROWS)[0] ?? '');
  expect(rows.slice(first)).toEqual(Object.keys(ROWS));
});
