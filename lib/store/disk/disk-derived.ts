import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { StoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { writeFileAtomic } from '../../internal/atomic-file.ts'
import { EventLoopYielder } from '../../internal/concurrency/event-loop-yielder.ts'
import { isErrno } from '../../internal/errno.ts'
import { withDescriptor } from '../../internal/with-descriptor.ts'
import type { DerivedKind, DerivedStore } from '../derived-store.ts'
import { checkDerivedKey } from '../shared/derived-key.ts'
import { openSealed, sealBytes } from '../shared/sealed-bytes.ts'
import type { DiskContext } from './disk-context.ts'
import { onDisk } from './io-error.ts'
import { ensureDirectory, removeFile } from './link-once.ts'
import { readSmallFile, removeSmallFile, replaceSmallFile } from './small-file.ts'

/** SAFETY: bounds what is read into memory; the index of a million entries takes about 200 MiB. */
const MAX_BYTES = 1024 * 1024 * 1024

/** What is no larger is written in one go. Facts are; indexes are not. */
const SMALL_BYTES = 64 * 1024

/** Derived data of a disk store: a file for each key in `.layerstore/indexes` and `.layerstore/facts`. */
export class DiskDerived implements DerivedStore {
  readonly #context: DiskContext
  readonly #yielder = new EventLoopYielder()

  constructor(context: DiskContext) {
    this.#context = context
  }

  async get(kind: DerivedKind, key: string, options: AbortOptions = {}): Promise<Uint8Array | undefined> {
    const place = this.#place(kind, key, options)
    const read = () =>
      this.#small(
        kind === 'facts',
        () => readSmallFile(place.path, MAX_BYTES),
        () => readIfThere(place.path),
      )
    const sealed = await onDisk({ act: 'read', path: place.name }, read)
    return sealed && openSealed(sealed)
  }

  async set(kind: DerivedKind, key: string, bytes: Uint8Array, options: AbortOptions = {}): Promise<void> {
    const place = this.#place(kind, key, options)
    if (bytes.byteLength > MAX_BYTES) return
    await whereWritable(async () => {
      await this.#context.prepareWrite()
      await onDisk({ act: 'write', path: place.name, writes: true }, async () => {
        // Not synced: what a power cut leaves of it does not fit its seal, and is made again.
        // SAFETY: where an upload goes on may be a signed address, which is for its owner only.
        const mode = key.startsWith('upload:') ? 0o600 : 0o644
        const sealed = sealBytes(bytes)
        const write = () =>
          this.#small(
            bytes.byteLength <= SMALL_BYTES,
            () => replaceSmallFile(place.path, sealed, mode),
            () => writeFileAtomic(place.path, sealed, { durable: false, mode }),
          )
        await inDirectory(place.directory, write)
      })
    })
  }

  async list(kind: DerivedKind, options: AbortOptions = {}): Promise<readonly string[]> {
    const { directory } = this.#place(kind, 'any', options)
    const names = await onDisk({ act: 'list', path: `.layerstore/${kind}` }, () => namesIn(directory))
    return names.filter(name => !name.endsWith('.tmp')).map(name => name.replaceAll('%3a', ':'))
  }

  async delete(kind: DerivedKind, key: string, options: AbortOptions = {}): Promise<void> {
    const place = this.#place(kind, key, options)
    await this.#context.prepareWrite()
    await onDisk({ act: 'remove', path: place.name, writes: true }, () =>
      this.#small(
        kind === 'facts',
        () => removeSmallFile(place.path),
        () => removeFile(place.path),
      ),
    )
  }

  /** Does at once what is small; without a free file descriptor it has to be waited for one. */
  async #small<T>(isSmall: boolean, now: () => T, later: () => Promise<T>): Promise<T> {
    if (!isSmall) return later()
    if (this.#yielder.shouldYield()) await this.#yielder.yield()
    try {
      return now()
    } catch (error) {
      if (isErrno(error, 'EMFILE', 'ENFILE')) return later()
      throw error
    }
  }

  #place(kind: DerivedKind, key: string, options: AbortOptions): { directory: string; path: string; name: string } {
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    checkDerivedKey(kind, key)
    const directory = join(this.#context.places.own, kind)
    // A colon is no part of a file name on Windows; a percent sign is no part of a key.
    const file = key.replaceAll(':', '%3a')
    return { directory, path: join(directory, file), name: `.layerstore/${kind}/${file}` }
  }
}

/** PERF: the directory is nearly always there; to make sure of it costs as much as to write. */
async function inDirectory(directory: string, write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
    await ensureDirectory(directory)
    await write()
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    const file = await withDescriptor(() =>
      open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK),
    )
    try {
      const stats = await file.stat()
      return stats.isFile() && stats.size <= MAX_BYTES ? await file.readFile() : undefined
    } finally {
      await file.close()
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO')) return undefined
    throw error
  }
}

/** Derived data is worth having, not worth failing for where nothing can be written. */
async function whereWritable(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof StoreError && error.code === 'ERR_STORE_READ_ONLY')) throw error
  }
}
