import { open } from 'node:fs/promises'
import { systemPath } from '../../internal/name-bytes.ts'
import { openFailure, replacedFailure, SOURCE_READ_FLAGS, sizeFailure } from './open-file.ts'
import type { SeenFile } from './source-entry.ts'
import { SourceReadFailure, sourceError } from './source-fault.ts'

const PIECE = 1024 * 1024

/** Yields the content of a file that was scanned before: exactly that content, or an error. */
export async function* fileContent(
  path: string,
  seen: SeenFile,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* read(path, seen, signal)
  } catch (error) {
    throw error instanceof SourceReadFailure ? sourceError(error.fault) : error
  }
}

async function* read(
  path: string,
  seen: SeenFile,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal?.throwIfAborted()
  const handle = await open(systemPath(path), SOURCE_READ_FLAGS).catch(error => {
    throw openFailure(path, error)
  })
  try {
    await checkSame()
    let left = seen.size
    for (;;) {
      signal?.throwIfAborted()
      // One more byte than expected, to detect a file that has grown.
      const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE, left + 1))
      const { bytesRead } = await handle.read(buffer, 0, buffer.byteLength, null)
      if (bytesRead > left || (bytesRead === 0 && left > 0)) {
        throw sizeFailure(path, seen.size, seen.size - left + bytesRead)
      }
      left -= bytesRead
      if (bytesRead === 0) break
      yield buffer.subarray(0, bytesRead)
    }
    await checkSame()
  } finally {
    await handle.close()
  }

  async function checkSame(): Promise<void> {
    const now = await handle.stat()
    const same = now.isFile() && now.ino === seen.ino && now.dev === seen.dev
    if (same && now.size !== seen.size) throw sizeFailure(path, seen.size, now.size)
    if (!same || now.mtimeMs / 1000 !== seen.mtime) throw replacedFailure(path)
  }
}
