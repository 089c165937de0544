/** NODE: a timer of more milliseconds fires at once. */
const LONGEST_MS = 2 ** 31 - 1

/** Calls `act` once after any time, which may be longer than a timer of Node takes. Returns what cancels it. */
export function longTimeout(act: () => void, ms: number): () => void {
  let timer: NodeJS.Timeout
  const wait = (left: number) => {
    const next = Math.min(left, LONGEST_MS)
    timer = setTimeout(() => (left > next ? wait(left - next) : act()), next)
  }
  wait(ms)
  return () => clearTimeout(timer)
}
