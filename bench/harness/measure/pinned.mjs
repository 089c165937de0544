import { availableParallelism } from 'node:os'

/** Start of a command that may use the first `processors` processors only; empty if all may be used. */
export function pinned({ processors }) {
  return processors === undefined ? [] : ['taskset', '--cpu-list', `0-${processors - 1}`]
}

/** Numbers of processors to compare: 1, 2, 4, 8, as far as this machine has them. */
export function processorCounts() {
  return [1, 2, 4, 8].filter(count => count <= availableParallelism())
}
