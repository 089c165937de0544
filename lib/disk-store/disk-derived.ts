import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StoreError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { writeFileAtomic } from '../internal/atomic-file.ts'
import { EventLoopYielder } from '../internal/concurrency/event-loop-yielder.ts'
import { isErrno } from '../internal/errno.ts'
import type { DerivedKind, DerivedStore } from '../store/index.ts'
import { checkDerivedKey, openSealed, SEAL, sealBytes } from '../store/index.ts'
import type { DiskContext } from './disk-context.ts'
import { onDisk } from './io-error.ts'
import { ensureDirectory, makeWay, removeFile } from './link-once.ts'
import type { Places } from './places/places.ts'
import { type FoundRecord, readRecord, readRecordNow } from './places/record-file.ts'
import { removeSmallFile, replaceSmallFile } from './places/small-file.ts'

/** SAFETY: bounds what is read into memory; the index of a million entries takes 200 MiB, a stored document at most 4 MiB. */
const MOST_BYTES: Readonly<Record<DerivedKind, number>> = { indexes: 1024 * 1024 * 1024, facts: 16 * 1024 * 1024 }

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
    const name = this.#name(kind, key, options)
    const { places } = this.#context
    const bounds = { limit: MOST_BYTES[kind], begins: SEAL }
    const found = await onDisk({ act: 'read', path: name }, () =>
      this.#small<FoundRecord>(
        kind === 'facts',
        () => readRecordNow(places.file(name), bounds),
        () => readRecord(places.file(name), bounds),
      ),
    )
    return found.kind === 'file' ? openSealed(found.bytes) : undefined
  }

  async set(kind: DerivedKind, key: string, bytes: Uint8Array, options: AbortOptions = {}): Promise<void> {
    const name = this.#name(kind, key, options)
    const { places } = this.#context
    const sealed = sealBytes(bytes)
    if (sealed.byteLength > MOST_BYTES[kind]) return
    await whereWritable(async () => {
      await this.#context.prepareWrite()
      await onDisk({ act: 'write', path: name, writes: true }, async () => {
        // Not synced: what a power cut leaves of it does not fit its seal, and is made again.
        // SAFETY: where an upload goes on may be a signed address, which is for its owner only.
        const mode = key.startsWith('upload:') ? 0o600 : 0o644
        const write = () =>
          this.#small(
            bytes.byteLength <= SMALL_BYTES,
            () => replaceSmallFile(places.file(name), sealed, mode),
            () => writeFileAtomic(places.file(name), sealed, { durable: false, mode }),
          )
        await inPlace(places, name, write)
      })
    })
  }

  async list(kind: DerivedKind, options: AbortOptions = {}): Promise<readonly string[]> {
    this.#name(kind, 'any', options)
    const directory = `.layerstore/${kind}`
    const names = await onDisk({ act: 'list', path: directory }, () =>
      namesIn(this.#context.places.directory(directory)),
    )
    return names.filter(name => !name.endsWith('.tmp')).map(name => name.replaceAll('%3a', ':'))
  }

  async delete(kind: DerivedKind, key: string, options: AbortOptions = {}): Promise<void> {
    const name = this.#name(kind, key, options)
    await this.#context.prepareWrite()
    const { places } = this.#context
    await onDisk({ act: 'remove', path: name, writes: true }, async () => {
      try {
        await this.#small(
          kind === 'facts',
          () => removeSmallFile(places.file(name)),
          () => removeFile(places.file(name)),
        )
      } catch (error) {
        if (!isErrno(error, 'EISDIR', 'EPERM')) throw error
        await makeWay(places.file(name))
      }
    })
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

  /** Where it is kept, relative to the store. */
  #name(kind: DerivedKind, key: string, options: AbortOptions): string {
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    checkDerivedKey(kind, key)
    // A colon is no part of a file name on Windows; a percent sign is no part of a key.
    return `.layerstore/${kind}/${key.replaceAll(':', '%3a')}`
  }
}

/** PERF: nearly always the directory is there and the place is free; to make sure of it costs as much as to write. */
async function inPlace(places: Places, name: string, write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (error) {
    if (isErrno(error, 'ENOENT')) await ensureDirectory(places.directory(dirname(name)))
    else if (isErrno(error, 'EISDIR')) await makeWay(places.file(name))
    else throw error
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

/** Derived data is worth having, not worth failing for where nothing can be written. */
async function whereWritable(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof StoreError && error.code === 'ERR_STORE_READ_ONLY')) throw error
  }
}
