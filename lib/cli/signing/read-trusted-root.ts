import { readFileSync } from 'node:fs'
import { parseStrictJson } from '../../internal/strict-json.ts'
import { fileFault } from '../failing/file-fault.ts'
import { UsageError } from '../failing/usage-error.ts'

/** Reads the file of `--trusted-root`. */
export function readTrustedRoot(path: string | undefined): unknown {
  if (path === undefined) throw new UsageError('identities need --trusted-root FILE, a trusted_root.json')
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    throw fileFault('--trusted-root', path, cause)
  }
  try {
    return parseStrictJson(bytes)
  } catch {
    throw new UsageError(`--trusted-root: ${path} is not JSON`)
  }
}
