/** The one of `known` that `name` may be meant for; undefined if none is near. */
export function suggestion(name: string, known: Iterable<string>): string | undefined {
  const limit = name.length < 4 ? 1 : name.length < 8 ? 2 : 3
  let best: string | undefined
  let least = limit + 1
  for (const candidate of known) {
    // Case, hyphens, underscores and spaces are what people mix up most.
    const away = plain(candidate) === plain(name) ? 0 : distance(name, candidate, least)
    if (away < least) [best, least] = [candidate, away]
  }
  return best
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_ .]/g, '')
}

/**
 * Edits that make one of the other, two neighbours that changed places counting as one (Damerau-Levenshtein, each place edited once);
 * `beyond` for anything that is no less.
 */
function distance(a: string, b: string, beyond: number): number {
  if (Math.abs(a.length - b.length) >= beyond) return beyond
  let [before, row] = [[] as number[], Array.from({ length: b.length + 1 }, (_, i) => i)]
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let least = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, before[j - 2]! + 1)
      next[j] = least
    }
    if (Math.min(...next) >= beyond) return beyond
    ;[before, row] = [row, next]
  }
  return row[b.length]!
}
