import type { Random } from '../random.ts';
import type { Nasty } from './nasty.ts';

type Path = readonly string[];

/** Every place of a JSON value: the keys that lead to it. */
function placesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, item]) => placesOf(item, [...path, key]))];
}

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | null)?.[key], value);

/** A copy with something else at one place; `undefined` removes it, as JSON knows no such value. */
function changed(value: unknown, [key, ...rest]: Path, to: unknown): unknown {
  if (key === undefined) return to;
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) };
  const inner = changed((copy as Record<string, unknown>)[key], rest, to);
  // Not by assignment: of the key __proto__ that makes a prototype, which JSON would not show.
  Object.defineProperty(copy, key, { value: inner, enumerable: true, configurable: true, writable: true });
  return copy;
}

/** Changes values of a request where they are: it stays JSON, and most of it stays as it was. */
export class Mutator {
  readonly #random: Random;
  readonly #nasty: Nasty;

  constructor(random: Random, nasty: Nasty) {
    this.#random = random;
    this.#nasty = nasty;
  }

  /** @returns a copy with one to three changes */
  mutate(body: unknown): unknown {
    let result = body;
    do result = this.#once(result);
    while (this.#random.chance(0.3));
    return result;
  }

  #once(body: unknown): unknown {
    const random = this.#random;
    const places = placesOf(body);
    const place = random.pick(places);
    const value = at(body, place);
    const how = random.weightedName({ nasty: 5, remove: 2, swap: 1, near: 5, more: 2 });
    switch (how) {
      case 'nasty':
        return changed(body, place, this.#nasty.value());
      case 'remove':
        return changed(body, place, undefined);
      case 'swap':
        return changed(body, place, at(body, random.pick(places)));
      case 'near':
        return changed(body, place, this.#near(value));
      case 'more':
        return changed(body, place, this.#more(value));
    }
  }

  /** Almost the same: the mistakes that a check of the form alone lets through. */
  #near(value: unknown): unknown {
    const random = this.#random;
    if (typeof value === 'number') return value + random.pick([-1, 1, 256, -65_536, 65_536, 0.5]);
    if (typeof value === 'boolean') return random.pick<unknown>([!value, String(value), Number(value)]);
    if (typeof value !== 'string') return this.#nasty.value();
    const position = random.below(value.length + 1);
    const [head, tail] = [value.slice(0, position), value.slice(position)];
    switch (random.below(6)) {
      case 0:
        return head + tail.slice(1);
      case 1:
        return head + String.fromCharCode(random.below(0x180)) + tail;
      case 2:
        return head + random.pick(['/', '.', ':', '-', '%', '"', ' ', '\0', '\n', '0', 'f']) + tail.slice(1);
      case 3:
        return value.toUpperCase();
      case 4:
        // Another number of the same length stays in form: another address, port, prefix, id.
        return value.replace(/\d/g, digit => (random.chance(0.2) ? String(random.below(10)) : digit));
      default:
        return value + value;
    }
  }

  #more(value: unknown): unknown {
    if (Array.isArray(value)) {
      const item = value.length === 0 ? this.#nasty.value() : this.#random.pick(value);
      return [...value, ...Array.from({ length: 1 + this.#random.below(4) }, () => item)];
    }
    if (typeof value !== 'object' || value === null) return [value];
    return changed(value, [this.#nasty.key()], this.#nasty.value());
  }
}

/** Cuts or alters the text of a request anywhere: it may be JSON no longer. */
export function garble(text: string, random: Random): string {
  const position = random.below(text.length + 1);
  const gone = random.chance(0.5) ? random.below(5) : 0;
  const put = random.pick([
    '',
    '',
    '"',
    '{',
    '}',
    ',',
    '\\',
    '\\u0000',
    '\0',
    '\ud800',
    '1e999',
    'null',
    '[[[[[[[[',
  ]);
  return random.chance(0.2)
    ? text.slice(0, position)
    : text.slice(0, position) + put + text.slice(position + gone);
}
