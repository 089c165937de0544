import type { FileHandle } from 'node:fs/promises'
import { SizeMismatchError, SourceError, StoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'

const PIECE = 512 * 1024

/** An archive on disk with random access. */
export class ArchiveFile {
  readonly #path: string
  readonly #file: FileHandle
  /** Size in bytes when the file was opened. */
  readonly size: number
  /** True for a regular file: it can be read at any offset and more than once. */
  readonly isRegular: boolean

  private constructor(path: string, file: FileHandle, stats: { size: number; isFile(): boolean }) {
    this.#path = path
    this.#file = file
    this.size = stats.size
    this.isRegular = stats.isFile()
  }

  static async open(path: string): Promise<ArchiveFile> {
    const { open } = await import('node:fs/promises')
    return onArchive('open', path, async () => {
      const file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
        if (cause.code !== 'ENOENT') throw cause
        throw new SourceError('ERR_SOURCE_NOT_FOUND', 'no such file', path, { cause })
      })
      try {
        return new ArchiveFile(path, file, await file.stat())
      } catch (error) {
        await file.close()
        throw error
      }
    })
  }

  /** Yields a part of the file; rejects if the file ends before it. */
  async *read(offset: number, length: number, options: AbortOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    for (let done = 0; done < length; ) {
      options.signal?.throwIfAborted()
      // Each chunk is a new buffer, because the reader may keep it.
      const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE, length - done))
      const bytesRead = await this.#readInto(buffer, offset + done)
      if (bytesRead === 0) {
        const what = `archive ${JSON.stringify(this.#path)}`
        throw new SizeMismatchError({ expected: offset + length, actual: offset + done, what })
      }
      done += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  }

  /** Yields all bytes from the current position, once; it works for pipes too. */
  async *stream(options: AbortOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      options.signal?.throwIfAborted()
      const buffer = Buffer.allocUnsafeSlow(PIECE)
      const bytesRead = await this.#readInto(buffer, null)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  }

  async #readInto(buffer: Buffer, position: number | null): Promise<number> {
    const { bytesRead } = await onArchive('read', this.#path, () =>
      this.#file.read(buffer, 0, buffer.byteLength, position),
    )
    return bytesRead
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

/** Runs work on the file of an archive; maps system errors to `ERR_STORE_IO` with the errno. */
export async function onArchive<T>(act: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause
    const { code } = cause as NodeJS.ErrnoException
    const message = messageOf(act, path, code)
    throw new StoreError('ERR_STORE_IO', message, { cause, errno: code })
  }
}

function messageOf(act: string, path: string, code: string | undefined): string {
  const name = JSON.stringify(path)
  if (code === 'ENOENT' && act === 'write') return `cannot write archive ${name} (ENOENT): its directory does not exist`
  if (code === 'ENOENT') return `no such file: ${name} (ENOENT)`
  if (code === 'EISDIR') return `${name} is a directory, not an archive file (EISDIR)`
  if (code === 'EACCES' || code === 'EPERM') return `this user may not ${act} ${name} (${code})`
  return `could not ${act} archive ${name} (${code})`
}
