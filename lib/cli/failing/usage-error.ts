import { LayerStoreError } from '../../errors/index.ts'

/** A command line that does not follow its usage; ends with exit code 2. */
export class UsageError extends LayerStoreError {
  readonly code = 'ERR_USAGE'
}
