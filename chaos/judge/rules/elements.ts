import type { Violation } from '../../world/types.ts';
import type { TableView } from '../kernel/types.ts';
import type { Look } from '../look.ts';
import { promisedElements } from '../promise/elements.ts';
import { nameOf } from '../promise/endpoint.ts';
import { publishedOnOwn } from '../promise/published.ts';
import { type Rule, violation } from '../violations.ts';

/** tsnet's nft tables hold what networks and containers need, and nothing else. */
export const elementRules: Rule<Look> = look => [...onHost(look), ...inContainers(look), ...dockerUser(look)];

const onHost: Rule<Look> = ({ kernel, promises }) => {
  const { table } = kernel.host;
  if (table === undefined)
    return [violation('table-missing', 'inet tsnet', 'the host has no such nft table')];
  return compare('inet tsnet', table, promisedElements(promises, kernel));
};

/** @param expected in which `*` is any word */
function compare(subject: string, table: TableView, expected: readonly string[]): Violation[] {
  const patterns = expected.map(text => (text.includes('*') ? anyWord(text) : text));
  const found = table.elements.map(normal);
  const exact = new Set(patterns.filter(pattern => typeof pattern === 'string'));
  const loose = patterns.filter(pattern => typeof pattern !== 'string');
  return [
    ...found
      .filter(element => !exact.has(element) && !loose.some(pattern => pattern.test(element)))
      .map(element => violation('element-of-nothing', subject, `has ${element}`)),
    ...[...exact]
      .filter(element => !found.includes(element))
      .map(element => violation('element-missing', subject, `has not ${element}`)),
    ...loose
      .filter(pattern => !found.some(element => pattern.test(element)))
      .map(pattern => violation('element-missing', subject, `has nothing like ${pattern.source}`)),
  ];
}

/** A network of one address is listed as the address. */
const normal = (element: string): string => element.replace(/\/(32|128)$/, '');

const anyWord = (text: string): RegExp =>
  new RegExp(`^${text.replaceAll('.', '\\.').replaceAll('*', '\\S+')}$`);

/** A container that answers on other ports than its processes listen on has a table of its own, and no other has one. */
const inContainers: Rule<Look> = ({ kernel, promises }) =>
  [...kernel.containers].flatMap(([container, { table }]) => {
    const endpoints = promises.endpoints.filter(one => one.container.name === container);
    const expected = endpoints.flatMap(endpoint =>
      publishedOnOwn(endpoint)
        .filter(({ from, to }) => from !== to)
        .map(({ protocol, address, from, to }) => {
          const set = `ports${address.includes(':') ? 6 : 4}_${endpoint.endpointId}`;
          return `${set} ${address} ${protocol} ${from} : ${address} ${to}`;
        }),
    );
    const subject = endpoints.map(nameOf).join(', ') || container;
    if (expected.length === 0)
      return table === undefined
        ? []
        : [violation('table-of-nothing', subject, 'has a table of tsnet in it')];
    if (table === undefined) return [violation('table-missing', subject, 'has no table of tsnet in it')];
    return compare(subject, table, expected);
  });

/** One rule lets through what tsnet's table has marked. */
const dockerUser: Rule<Look> = ({ kernel: { dockerUser: chains } }) =>
  ([4, 6] as const).flatMap(family => {
    const rules = chains[family];
    const count = rules?.filter(rule => rule.includes('0x10000000/0x10000000')).length ?? 0;
    if (rules === undefined || count === 1) return [];
    return [violation('docker-user-rule', `IPv${family}`, `DOCKER-USER has tsnet's rule ${count} times`)];
  });
