/**
 * The candidate with the fewest single-letter edits to `word` (Levenshtein). Of an option with dots the last part
 * counts as well, for people leave `com.docker.network.bridge.` out.
 */
export function nearest(word: string, candidates: readonly string[]): string {
  const score = (candidate: string) =>
    Math.min(
      edits(word, candidate),
      edits(word.split('.').at(-1) ?? word, candidate.split('.').at(-1) ?? candidate) + 0.5,
    );
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
