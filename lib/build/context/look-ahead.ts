import { lstatSync } from 'node:fs'
import { systemPath } from '../../internal/name-bytes.ts'
import { type StatMemory, StatRows } from './stat-rows.ts'
import { StoredListings } from './stored-listings.ts'

/** Data that the thread starts with. */
export interface LookAheadStart {
  /** Real path of the directory. */
  readonly root: string
  /** Stored listings of the last build, in the order of its walk. */
  readonly listings: Uint8Array
  readonly memory: StatMemory
}

/** PERF: rows that are left to the walk once it has come up to the thread, so that not both look at the same paths. */
const LEFT_TO_WALK = 64

/**
 * Looks at the files and directories that the last build has seen, a row for each name in its listings, in their order.
 * Names that are something else have empty rows, and so have those that cannot be looked at: the walk looks itself.
 */
export function lookAhead({ root, listings, memory }: LookAheadStart): void {
  const rows = new StatRows(memory)
  let [row, wanted] = [0, 0]
  for (const { path, names } of new StoredListings(listings).all()) {
    const { needed } = rows
    if (needed > row) wanted = needed + LEFT_TO_WALK
    const end = Math.min(row + names.length, rows.length)
    const prefix = path === '.' ? root : `${root}/${path}`
    for (let i = 0; row + i < end && row >= wanted; i++) {
      const { name, type } = names[i]!
      if (type === 'file' || type === 'directory') lookAt(rows, row + i, `${prefix}/${name}`)
    }
    row += names.length
    if (end < row) return
    rows.publish(row)
  }
}

function lookAt(rows: StatRows, row: number, place: string): void {
  try {
    const stats = lstatSync(systemPath(place), { throwIfNoEntry: false })
    if (stats) rows.write(row, stats)
  } catch {
    // The walk gets the same error.
  }
}
