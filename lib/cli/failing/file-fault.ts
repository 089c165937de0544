import { type LayerStoreError, SourceError } from '../../errors/index.ts'
import { UsageError } from './usage-error.ts'

/**
 * Builds the error for a file or directory that an option names and that cannot be read. A missing one has the code
 * and the exit code of every missing input: `ERR_SOURCE_NOT_FOUND` and 1.
 */
export function fileFault(option: string, path: string, cause: unknown): LayerStoreError {
  const { code } = cause as NodeJS.ErrnoException
  if (code === 'ENOENT') return new SourceError('ERR_SOURCE_NOT_FOUND', `${option}: no such file`, path, { cause })
  const name = JSON.stringify(path)
  const message =
    code === 'EISDIR'
      ? `${name} is a directory, not a file`
      : `cannot read ${name}${code === undefined ? '' : ` (${code})`}`
  return new UsageError(`${option}: ${message}`, { cause })
}
