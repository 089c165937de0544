import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { devNull } from 'node:os'
import { isErrno } from '../../internal/errno.ts'
import { parseStrictJson } from '../../internal/strict-json.ts'
import { UnusableCredentials } from './unusable-credentials.ts'

const MAX_BYTES = 1024 * 1024

/** The members of an auth file that matter; what they hold is not checked yet. */
export interface AuthFile {
  /** What errors call the file. */
  readonly name: string
  readonly document: object
}

/**
 * Reads a docker or podman auth file; `undefined` if there is none. An empty file and one of blanks only hold nothing, as
 * for docker and podman.
 *
 * @param name - What errors call the file.
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
  // The usual way to say that there is no such file.
  if (path === devNull) return undefined
  let file: FileHandle | undefined
  try {
    // SAFETY: a FIFO in the place of the file would block a plain open for good.
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
    // SAFETY: the message of the cause would quote the file.
    return undefined
  }
}

/** A blank of JSON: space, tab, line feed, carriage return. */
function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
}
