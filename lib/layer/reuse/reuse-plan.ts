import type { DigestCheckpoint } from '../../digest/index.ts'
import type { BlockTable } from './block-table.ts'
import type { LayerLayout } from './layer-layout.ts'

/** Blocks that a new layer takes from a stored one. */
export interface ReusePlan {
  readonly table: BlockTable
  /** For each block of the new layer the equal block of the table, or -1. */
  readonly rows: Int32Array
  /** Number of blocks at the start that are not opened: checksum and diffID go on after them. */
  readonly skipped: number
  /** State of the diffID after the skipped blocks. */
  readonly state: DigestCheckpoint | undefined
}

/** Finds the blocks of a layout in a table; `undefined` if the table has none of them. */
export function planReuse({ keys }: LayerLayout, table: BlockTable, canRestore: boolean): ReusePlan | undefined {
  const known = new Map(table.rows.map(({ key }, i) => [key, i]))
  const rows = Int32Array.from(keys, key => known.get(key) ?? -1)
  if (rows.every(row => row < 0)) return undefined
  let skipped = 0
  while (canRestore && skipped < rows.length && rows[skipped] === skipped && table.rows[skipped]!.state) skipped++
  return { table, rows, skipped, state: skipped > 0 ? table.rows[skipped - 1]!.state : undefined }
}
