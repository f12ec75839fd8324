// Which known name somebody may have meant who wrote another one.

/** Names that other libraries have for ours, and ours have for each other. */
const SYNONYMS: ReadonlyMap<string, readonly string[]> = new Map([
  ["dimensions", ["outputDimensionality"]],
  ["outputDimensionality", ["dimensions"]],
  ["url", ["baseUrl", "redis"]],
]);

/** The known name that begins so, or is at most a third of the letters away, in whichever case; undefined where none is. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const synonym = SYNONYMS.get(name)?.find((one) => known.includes(one));
  if (synonym !== undefined) return synonym;
  const [best] = known
    .map((one) => ({ one, far: distance(name.toLowerCase(), one.toLowerCase()) }))
    .toSorted((a, b) => a.far - b.far);
  const isNear = best !== undefined && best.far <= Math.max(1, Math.floor(name.length / 3));
  return isNear ? best.one : undefined;
}

/** How many letters must be put in, taken out or changed: Levenshtein's, row by row. */
function distance(from: string, to: string): number {
  // A unit is easily left out: `base` for `baseMs`.
  if (from.length > 2 && to.startsWith(from)) return 0;
  let above = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 0; i < from.length; i++) {
    const row = [i + 1];
    for (let j = 0; j < to.length; j++) {
      const changed = (above[j] ?? 0) + (from[i] === to[j] ? 0 : 1);
      row.push(Math.min(changed, (above[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1));
    }
    above = row;
  }
  return above[to.length] ?? 0;
}
