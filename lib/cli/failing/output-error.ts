import { LayerStoreError } from '../../errors/index.ts'

/** Output could not be written: the reader of stdout has closed it, the disk is full, or a file cannot be made. */
export class OutputError extends LayerStoreError {
  readonly code = 'ERR_OUTPUT'

  /** @param place - What was written to, as the user named it. */
  constructor(cause: Error, place = 'stdout') {
    const { code } = cause as NodeJS.ErrnoException
    const message =
      code === 'EPIPE' ? `${place} was closed before everything was written` : `cannot write to ${place} (${code})`
    super(message, { cause })
  }
}
