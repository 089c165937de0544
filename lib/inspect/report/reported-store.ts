import type { ViewStore } from '../../rootfs/index.ts'
import type { Store } from '../../store/index.ts'

/** Members of a store that report pages need. */
export type ReportedStore = ViewStore & {
  /** The names of the images. */
  readonly references: Pick<Store['references'], 'get' | 'list'>
}
