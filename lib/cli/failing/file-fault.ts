import { type LayerStoreError, SourceError } from '../../errors/index.ts'
import { UsageError } from './usage-error.ts'

/**
 * Builds the error for a file or directory that an option names and that cannot be read. A missing one has the code
 * and the exit code of every missing input: `ERR_SOURCE_NOT_FOUND` and 1.
 *
 * @param kind - What the option takes.
 */
export function fileFault(
  option: string,
  path: string,
  cause: unknown,
  kind: 'file' | 'directory' = 'file',
): LayerStoreError {
  const { code } = cause as NodeJS.ErrnoException
  const name = JSON.stringify(path)
  if (path === '') return new UsageError(`the ${kind} of ${option} is empty`, { cause })
  if (code === 'ENOENT') return new SourceError('ERR_SOURCE_NOT_FOUND', `${option}: no such ${kind}`, path, { cause })
  if (code === 'EISDIR') return new UsageError(`${option}: ${name} is a directory, not a file`, { cause })
  return new UsageError(`${option}: ${reasonOf(code, name, kind)}`, { cause })
}

function reasonOf(code: string | undefined, name: string, kind: 'file' | 'directory'): string {
  if (code === 'ENOTDIR') {
    return kind === 'file' ? `a part of the path ${name} is a file` : `${name}, or a part of its path, is a file`
  }
  if (code === 'EACCES' || code === 'EPERM') return `this user may not read ${name} (${code}); change its permissions`
  return `cannot read ${name}${code === undefined ? '' : ` (${code})`}`
}
