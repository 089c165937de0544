/** Random numbers from a seed: `next()` returns 32 bits, `below(n)` a whole number, `unit()` a number from 0 to 1. */
export function createRandom(seed) {
  let state = hashText(String(seed))
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
  const unit = () => next() / 2 ** 32
  const below = limit => Math.floor(unit() * limit)
  const normal = () => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit())
  return { next, unit, below, normal, pick: list => list[below(list.length)] }
}

/** FNV-1a: similar seeds such as `a1` and `a2` must give different sequences. */
function hashText(text) {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash | 0
}
