import { UsageError } from './usage-error.ts'

/** Builds the error for a file or directory that an option names and that cannot be read. */
export function fileFault(option: string, path: string, cause: unknown): UsageError {
  const { code } = cause as NodeJS.ErrnoException
  const name = JSON.stringify(path)
  const message =
    code === 'ENOENT'
      ? `no such file: ${name}`
      : code === 'EISDIR'
        ? `${name} is a directory, not a file`
        : `cannot read ${name}${code === undefined ? '' : ` (${code})`}`
  return new UsageError(`${option}: ${message}`, { cause })
}
