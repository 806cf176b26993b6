/**
 * The candidate with the fewest single-letter edits to `word` (Levenshtein). Of an option with dots the last part
 * counts as well, for people leave `com.docker.network.bridge.` out. Case does not count.
 */
export function nearest(word: string, candidates: readonly string[]): string {
  // Another one may differ from it in case alone.
  if (candidates.includes(word)) return word;
  const last = (text: string) => text.split('.').at(-1) ?? text;
  // As much as a name can have: the time grows with the length.
  const wanted = word.slice(0, 64).toLowerCase();
  const score = (candidate: string) => {
    const known = candidate.toLowerCase();
    return Math.min(edits(wanted, known), edits(last(wanted), last(known)) + 0.5);
  };
  return candidates.reduce(
    (best, candidate) => (score(candidate) < score(best) ? candidate : best),
    candidates[0] ?? '',
  );
}

function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, replace));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
