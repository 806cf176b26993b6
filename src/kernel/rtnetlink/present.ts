type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Leaves out the properties that are undefined (exactOptionalPropertyTypes). */
export function present<T extends object>(values: T): Present<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Present<T>;
}
