import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { devNull } from 'node:os'
import { isErrno } from '../../internal/errno.ts'
import { parseStrictJson } from '../../internal/strict-json.ts'
import { UnusableCredentials } from './unusable-credentials.ts'

const MAX_BYTES = 1024 * 1024

/** The relevant members of an auth file, not validated yet. */
export interface AuthFile {
  /** Name of the file in errors. */
  readonly name: string
  readonly document: object
}

/**
 * Reads an auth file of docker or podman; `undefined` if it does not exist. An empty or blank file has no entries, as
 * for docker and podman.
 *
 * @param name - Name of the file in errors.
 * @throws `UnusableCredentials`.
 */
export async function readAuthFile(path: string, name: string): Promise<AuthFile | undefined> {
  const bytes = await readBounded(path, name)
  if (!bytes) return undefined
  const document = parse(bytes)
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new UnusableCredentials(`${name} is not a JSON object`)
  }
  return { name, document }
}

async function readBounded(path: string, name: string): Promise<Uint8Array | undefined> {
  // Users set the null device to say that there is no file.
  if (path === devNull) return undefined
  let file: FileHandle | undefined
  try {
    // SAFETY: a plain open of a FIFO would block without end.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const stat = await file.stat()
    if (!stat.isFile() || stat.size > MAX_BYTES) throw new UnusableCredentials(`${name} is not a file of up to 1 MiB`)
    return await file.readFile()
  } catch (cause) {
    if (isErrno(cause, 'ENOENT', 'ENOTDIR')) return undefined
    if (isErrno(cause, 'EACCES', 'EPERM', 'EISDIR', 'ELOOP', 'EIO')) {
      throw new UnusableCredentials(`${name} cannot be read`, { cause })
    }
    throw cause
  } finally {
    await file?.close()
  }
}

function parse(bytes: Uint8Array): unknown {
  if (bytes.every(isBlank)) return {}
  try {
    return parseStrictJson(bytes)
  } catch {
    // SAFETY: the parse error quotes the file, which contains secrets, so it is dropped.
    return undefined
  }
}

/** True for a blank of JSON: space, tab, line feed, carriage return. */
function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
}
