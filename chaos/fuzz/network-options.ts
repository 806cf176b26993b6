import { OPTIONS, type OptionSpec } from '../../src/options.ts';
import type { Random } from '../random.ts';
import type { Nasty } from './nasty.ts';

const SPECS: readonly (readonly [string, OptionSpec])[] = Object.entries(OPTIONS);

/** Driver options as users give them: known names, mostly with values of their type. */
export class NetworkOptions {
  readonly #random: Random;
  readonly #nasty: Nasty;
  readonly #parents: readonly string[];

  constructor(random: Random, nasty: Nasty, parents: readonly string[]) {
    this.#random = random;
    this.#nasty = nasty;
    this.#parents = parents;
  }

  /** None to three of them; a third of the networks are macvlan. */
  some(): Record<string, string> {
    const random = this.#random;
    const isMacvlan = random.chance(0.35);
    const chosen: Record<string, string> =
      isMacvlan && random.chance(0.8) ? { parent: random.pick(this.#parents) } : {};
    if (isMacvlan && chosen['parent'] === undefined) chosen['mode'] = 'macvlan';
    const mode = isMacvlan ? 'macvlan' : 'bridge';
    while (random.chance(0.4)) {
      const [name, spec] = random.pick(SPECS);
      if (!spec.modes.includes(mode) && random.chance(0.95)) continue;
      chosen[random.pick([name, ...(spec.aliases ?? [])])] = this.#value(spec);
    }
    return chosen;
  }

  #value({ type }: OptionSpec): string {
    const random = this.#random;
    if (random.chance(0.05)) return this.#nasty.text();
    switch (type.kind) {
      case 'boolean':
        return random.pick(['true', 'false', '1', '0', 'on', 'T']);
      case 'integer':
        return String(random.pick([type.min, type.max, type.min - 1, type.max + 1, 1400, 1500, 2]));
      case 'choice':
        return random.pick(type.values);
      case 'link':
        return random.pick([...this.#parents, 'br-fuzz', 'br-lan', 'eth0.7', 'nosuch0']);
      case 'prefix':
        return random.pick(['eth', 'lan', 'vpn-', 'x_']);
      case 'address':
        return random.pick(['127.0.0.1', '198.18.0.5', '::1', '2001:db8::5', '0.0.0.0', '192.0.2.77']);
      case 'networks':
        return random.pick([
          '192.0.2.0/24',
          '192.0.2.7,198.51.100.0/24',
          '2001:db8:7::/64',
          '0.0.0.0/0',
          '::/0, 192.0.2.1',
        ]);
    }
  }
}
