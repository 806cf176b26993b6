import { isIP } from 'node:net';
import type { Op } from '../../src/host-state/ops.ts';
import type { HoldRequest, Kernel } from '../../src/kernel/kernel.ts';

/** Form that text must have on its way to the kernel, by the field it is in: what is written here is all that is let through. */
const LINK = /^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}$/;
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;
const ALIAS = /^tsnet:[A-Za-z0-9_.@:-]{1,200}$/;
/** Nothing that means anything to nft but as part of an address, a name or a number. */
const WORD = /^[A-Za-z0-9_.@:/-]{0,64}$/;
const OBJECT_ID = /^[0-9a-z]{25}$|^[0-9a-f]{64}$/;
/** Of a link only: what concerns the whole host or a container as a whole is the engine's. */
const SYSCTL = /^net\/[a-z0-9_]+\/(?:[a-z0-9_]+\/)?(?:[A-Za-z0-9_][A-Za-z0-9_.@-]*\/)?[a-z0-9_]+$/i;
const CONTROL = /[\p{Cc}]/u;

const isLink = (text: string): boolean => LINK.test(text);
const isAddress = (text: string): boolean => isIP(text.replace(/\/\d{1,3}$/, '')) !== 0;
const isSandbox = (text: string): boolean =>
  text.startsWith('/') && !text.split('/').some(part => part === '.' || part === '..') && !CONTROL.test(text);

const FORMS: Readonly<Record<string, (text: string) => boolean>> = {
  link: isLink,
  name: isLink,
  parent: isLink,
  master: isLink,
  madeAs: isLink,
  mac: text => MAC.test(text),
  alias: text => ALIAS.test(text),
  address: isAddress,
  addresses: isAddress,
  containers: isAddress,
  container: isAddress,
  destination: isAddress,
  source: isAddress,
  owner: text => OBJECT_ID.test(text),
  endpointId: text => OBJECT_ID.test(text),
  sandbox: isSandbox,
  path: text => SYSCTL.test(text),
  // To /proc/sys alone, in one write.
  value: text => !/[\0\n]/.test(text),
};

/** Looks at every string on its way to the kernel. */
export class StringGuard {
  /** Strings seen. */
  count = 0;
  /** What was wrong, since the last time it was asked. */
  readonly #found: string[] = [];

  found(): string[] {
    return this.#found.splice(0);
  }

  ops(ops: readonly Op[]): void {
    for (const op of ops) this.#walk(op, 'op', op.op);
  }

  hold(request: HoldRequest): void {
    this.#walk(request, 'hold', 'a port to be held');
  }

  link(name: string): void {
    this.#look('link', name, 'a link looked up');
  }

  sandbox(path: string): void {
    this.#look('sandbox', path, 'a sandbox looked into');
  }

  #walk(value: unknown, field: string, where: string): void {
    if (typeof value === 'string') this.#look(field, value, where);
    if (typeof value !== 'object' || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      // The parts of a list are of the list's own kind; a port is a link in `ends`, a number elsewhere.
      const name = Array.isArray(value) ? field : key;
      // `value` is one of /proc/sys in a sysctl, and part of an nft element elsewhere.
      this.#walk(item, name === 'value' && !('path' in value) ? 'word' : name, `${where} ${key}`);
    }
  }

  #look(field: string, text: string, where: string): void {
    this.count++;
    const fits = FORMS[field] ?? ((word: string) => WORD.test(word));
    if (!fits(text)) this.#found.push(`unchecked text in ${where}: ${JSON.stringify(text.slice(0, 100))}`);
  }
}

/** The same kernel, behind the guard. */
export function guarded(kernel: Kernel, guard: StringGuard): Kernel {
  return {
    apply: (ops, options) => {
      guard.ops(ops);
      return kernel.apply(ops, options);
    },
    gone: names => {
      for (const name of names) guard.link(name);
      return kernel.gone(names);
    },
    observe: desired => kernel.observe(desired),
    openDockerUser: () => kernel.openDockerUser(),
    holdPort: request => {
      guard.hold(request);
      return kernel.holdPort(request);
    },
    holderOf: port => kernel.holderOf(port),
    facts: (parents, options) => {
      const names = [...parents];
      for (const name of names) guard.link(name);
      return kernel.facts(names, options);
    },
    links: () => kernel.links(),
    link: name => {
      guard.link(name);
      return kernel.link(name);
    },
    isWireless: name => {
      guard.link(name);
      return kernel.isWireless(name);
    },
    sandboxLinks: path => {
      guard.sandbox(path);
      return kernel.sandboxLinks(path);
    },
    viewSandbox: (path, ...how) => {
      guard.sandbox(path);
      return kernel.viewSandbox(path, ...how);
    },
    hasDummy: () => kernel.hasDummy(),
  };
}
