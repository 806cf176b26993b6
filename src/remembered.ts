/**
 * A pure function that is asked the same few things again and again, with its answers remembered. What it throws is not.
 * @param most answers that are kept; one more, and it begins anew: whoever asks thousands of different things gains nothing
 */
export function remembered<K, V extends object | number | string>(
  most: number,
  answer: (question: K) => V,
): (question: K) => V {
  const known = new Map<K, V>();
  return question => {
    const present = known.get(question);
    if (present !== undefined) return present;
    const value = answer(question);
    if (known.size >= most) known.clear();
    known.set(question, value);
    return value;
  };
}
