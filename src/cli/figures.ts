/** A time for people: `0.4 ms`; null is none. */
export function milliseconds(ms: number | null): string {
  if (ms === null) return '–'
  return `${ms.toFixed(ms < 10 ? 2 : 0)} ms`
}
