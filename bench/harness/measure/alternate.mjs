/**
 * Runs each item of a list once per round, in reverse order in every second round, so that drift (caches, clock, other
 * processes) affects all items equally. Returns the samples of each, in the order of the list. `roundsOf` limits the
 * rounds of an item; with `taken`, the samples of the first round, it starts with the second.
 */
export async function alternate(list, rounds, run, { roundsOf = () => rounds, taken } = {}) {
  const samples = list.map((_, i) => (taken ? [taken[i]] : []))
  for (let round = taken ? 1 : 0; round < rounds; round++) {
    const order = [...list.keys()]
    if (round % 2 === 1) order.reverse()
    for (const i of order) if (round < roundsOf(list[i])) samples[i].push(await run(list[i], round))
  }
  return samples
}
