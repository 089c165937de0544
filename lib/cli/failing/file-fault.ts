import { type LayerStoreError, SourceError } from '../../errors/index.ts'
import { UsageError } from './usage-error.ts'

/**
 * Builds the error for a file that an option names and that cannot be read. A missing one has the code and the exit
 * code of every missing input: `ERR_SOURCE_NOT_FOUND` and 1.
 */
export function fileFault(option: string, path: string, cause: unknown): LayerStoreError {
  const { code } = cause as NodeJS.ErrnoException
  const name = JSON.stringify(path)
  if (path === '') return new UsageError(`the file of ${option} is empty`, { cause })
  if (code === 'ENOENT') return new SourceError('ERR_SOURCE_NOT_FOUND', `${option}: no such file`, path, { cause })
  return new UsageError(`${option}: ${reasonOf(code, name)}`, { cause })
}

function reasonOf(code: string | undefined, name: string): string {
  if (code === 'EISDIR') return `${name} is a directory, not a file`
  if (code === 'ENOTDIR') return `a part of the path ${name} is a file`
  if (code === 'EACCES' || code === 'EPERM') return `this user may not read ${name} (${code}); change its permissions`
  return `cannot read ${name}${code === undefined ? '' : ` (${code})`}`
}
