/**
 * Runs each of a list once in every round, the order reversed from round to round, so that what drifts (caches, clock,
 * neighbours) falls on all alike. Gives the samples of each, in the list's order. `roundsOf` says who sits out later rounds;
 * with `taken`, the samples of the first round, the second one is the next.
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
