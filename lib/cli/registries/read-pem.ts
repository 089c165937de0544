import { readFileSync, statSync } from 'node:fs'
import { fileFault } from '../failing/file-fault.ts'
import { UsageError } from '../failing/usage-error.ts'

const MAX_BYTES = 4 * 1024 * 1024

/**
 * Reads a PEM file of certificates or of a key.
 *
 * @param option - Option or setting that names the file, for errors.
 * @throws `UsageError` if it cannot be read or contains no PEM block.
 */
export function readPem(path: string, option: string): string {
  const text = readText(path, option)
  if (/-----BEGIN [A-Z0-9 ]+-----/.test(text)) return text
  throw new UsageError(`${option}: ${path} is not a PEM file (it has no line -----BEGIN …-----)`)
}

function readText(path: string, option: string): string {
  try {
    // SAFETY: reading a FIFO would block without end.
    const stat = statSync(path)
    // Reading a directory fails with EISDIR.
    if (stat.isDirectory() || (stat.isFile() && stat.size <= MAX_BYTES)) return readFileSync(path, 'utf8')
  } catch (cause) {
    throw fileFault(option, path, cause)
  }
  throw new UsageError(`${option}: ${path} is not a file of up to 4 MiB`)
}
