import type { AbortOptions } from '../../internal/abort.ts'
import type { TransferSource } from '../endpoints/transfer-source.ts'
import type { TransferTarget } from '../endpoints/transfer-target.ts'
import type { KnownDocuments } from './known-documents.ts'

/** Source and target of a plan, and the documents that were read for it. */
export interface PlannedEnds extends AbortOptions {
  readonly source: TransferSource
  readonly target: TransferTarget
  readonly documents: KnownDocuments
}
