/** The middle value; of an even number of values the mean of the middle two. */
export function median(values) {
  if (values.length === 0) throw new Error('no values')
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Returns the value below which a share of the sorted values lies. */
export function percentile(sorted, share) {
  if (sorted.length === 0) throw new Error('no values')
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

/** Median absolute deviation: the spread that outliers do not move. */
export function mad(values) {
  const middle = median(values)
  return median(values.map(value => Math.abs(value - middle)))
}

/** Median and spread of every figure that the samples have; figures that are no numbers are left out. */
export function summarize(samples) {
  const figures = new Set(samples.flatMap(sample => Object.keys(sample)))
  return Object.fromEntries(
    [...figures].flatMap(figure => {
      const values = samples.map(sample => sample[figure]).filter(value => Number.isFinite(value))
      return values.length === 0 ? [] : [[figure, { median: median(values), mad: mad(values), n: values.length }]]
    }),
  )
}
