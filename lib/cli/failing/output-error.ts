import { LayerStoreError } from '../../errors/index.ts'

/** Stdout could not be written: its reader has closed it, or the disk is full. */
export class OutputError extends LayerStoreError {
  readonly code = 'ERR_OUTPUT'

  constructor(cause: Error) {
    const { code } = cause as NodeJS.ErrnoException
    const message =
      code === 'EPIPE' ? 'stdout was closed before everything was written' : `cannot write to stdout (${code})`
    super(message, { cause })
  }
}
