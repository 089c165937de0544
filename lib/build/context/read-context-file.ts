import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { isErrno } from '../../internal/errno.ts'
import { systemPath } from '../../internal/name-bytes.ts'
import { openFailure, replacedFailure, SOURCE_READ_FLAGS, SourceReadFailure, sourceError } from '../../layer/index.ts'
import { identityOf } from './file-identity.ts'

/** A file as it was seen: its identity then, and its size. */
export interface SeenContextFile {
  readonly identity: string
  readonly size: number
}

/**
 * Yields the content of a file that was seen before, in pieces of the given buffer: exactly that content, or an error.
 * Each piece is valid until the next one is asked for.
 *
 * @throws {@link SourceError} `ERR_SOURCE_CHANGED` if the file is not the same any more, before or after the read;
 * `ERR_SOURCE_READ`.
 */
export function* readContextFile(
  path: string,
  seen: SeenContextFile,
  buffer: Uint8Array,
): Generator<Uint8Array, void, undefined> {
  const descriptor = orSourceError(() => openUnchanged(path, seen))
  try {
    for (let left = seen.size; left > 0; ) {
      const length = orSourceError(() => readPiece(path, descriptor, buffer, left))
      left -= length
      yield buffer.subarray(0, length)
    }
    orSourceError(() => assertUnchanged(path, descriptor, seen))
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Returns the whole content of a small file that was scanned before. The identity of the file is checked once, after
 * the read: a change before, during or just after the read would show in it.
 *
 * @param content - Memory for the content, of the size of the file.
 * @throws {@link SourceError} as {@link readContextFile}.
 */
export function readWholeContextFile(path: string, seen: SeenContextFile, content: Uint8Array): Uint8Array {
  const descriptor = orSourceError(() => openSource(path))
  try {
    for (let filled = 0; filled < seen.size; ) {
      filled += orSourceError(() => readPiece(path, descriptor, content.subarray(filled), seen.size - filled))
    }
    orSourceError(() => assertUnchanged(path, descriptor, seen))
    return content
  } finally {
    closeSync(descriptor)
  }
}

function openSource(path: string): number {
  try {
    return openSync(systemPath(path), SOURCE_READ_FLAGS)
  } catch (error) {
    throw openFailure(path, error)
  }
}

function openUnchanged(path: string, seen: SeenContextFile): number {
  const descriptor = openSource(path)
  try {
    assertUnchanged(path, descriptor, seen)
    return descriptor
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

function assertUnchanged(path: string, descriptor: number, { identity }: SeenContextFile): void {
  const stats = fstatSync(descriptor, { bigint: true })
  if (!stats.isFile() || identityOf(stats) !== identity) throw replacedFailure(path)
}

function readPiece(path: string, descriptor: number, buffer: Uint8Array, left: number): number {
  let length: number
  try {
    length = readSync(descriptor, buffer, 0, Math.min(buffer.byteLength, left), null)
  } catch (error) {
    // A directory or a FIFO took the place of the file.
    throw isErrno(error, 'EISDIR', 'EAGAIN') ? replacedFailure(path) : openFailure(path, error)
  }
  // The file has become shorter.
  if (length === 0) throw replacedFailure(path)
  return length
}

/** Runs a step whose failure is plain data of the layer room, and throws the typed error. */
export function orSourceError<T>(act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw error instanceof SourceReadFailure ? sourceError(error.fault) : error
  }
}
