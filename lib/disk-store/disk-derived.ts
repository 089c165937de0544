import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StoreError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { writeFileAtomic } from '../internal/atomic-file.ts'
import { EventLoopYielder } from '../internal/concurrency/event-loop-yielder.ts'
import { isErrno } from '../internal/errno.ts'
import { ensureDirectory, makeWay, removeFile } from '../internal/link-once.ts'
import { type FoundRecord, readRecord, readRecordNow } from '../internal/record-file.ts'
import type { DerivedKind, DerivedStore } from '../store/index.ts'
import { checkDerivedKey, openSealed, SEAL, sealBytes } from '../store/index.ts'
import type { DiskContext } from './disk-context.ts'
import { onDisk } from './io-error.ts'
import type { Places } from './places/places.ts'
import { replaceSmallFile, writeSmallFile } from './places/small-file.ts'

/**
 * SAFETY: limits the bytes read into memory; another program may write a larger file. The index of a million entries
 * takes 200 MiB, a stored document at most 4 MiB.
 */
const MOST_BYTES: Readonly<Record<DerivedKind, number>> = {
  indexes: 1024 * 1024 * 1024,
  facts: 16 * 1024 * 1024,
  cache: 4 * 1024 * 1024,
}

/** Maximum size of a synchronous write. Facts are smaller; indexes are larger. */
const SMALL_BYTES = 64 * 1024

/**
 * Derived data of a disk store: one file per key in `.layerstore/indexes`, `.layerstore/facts` and `.layerstore/cache`.
 * Cache records are plain JSON, as collections and other programs read them; the rest is sealed with a checksum.
 */
export class DiskDerived implements DerivedStore {
  readonly #context: DiskContext
  readonly #yielder = new EventLoopYielder()

  constructor(context: DiskContext) {
    this.#context = context
  }

  async get(kind: DerivedKind, key: string, options: AbortOptions = {}): Promise<Uint8Array | undefined> {
    const name = this.#name(kind, key, options)
    const { places } = this.#context
    const bounds = { limit: MOST_BYTES[kind], begins: kind === 'cache' ? JSON_OBJECT : SEAL }
    const found = await onDisk({ act: 'read', path: name }, () =>
      this.#small<FoundRecord>(
        kind !== 'indexes',
        () => readRecordNow(places.file(name), bounds),
        () => readRecord(places.file(name), bounds),
      ),
    )
    if (found.kind !== 'file') return undefined
    return kind === 'cache' ? wholeRecord(found.bytes) : openSealed(found.bytes)
  }

  async set(kind: DerivedKind, key: string, bytes: Uint8Array, options: AbortOptions = {}): Promise<void> {
    const name = this.#name(kind, key, options)
    const { places } = this.#context
    const sealed = kind === 'cache' ? bytes : sealBytes(bytes)
    if (sealed.byteLength > MOST_BYTES[kind]) return
    await whereWritable(async () => {
      await this.#context.prepareWrite()
      await onDisk({ act: 'write', path: name, writes: true }, async () => {
        // Not synced: after a power cut a torn file does not match its checksum and is computed again.
        // SAFETY: the address of an unfinished upload may be presigned; other users could write to it, so only the
        // owner may read.
        const mode = key.startsWith('upload:') ? 0o600 : 0o644
        const write = () =>
          this.#small(
            bytes.byteLength <= SMALL_BYTES,
            () => (kind === 'cache' ? replaceSmallFile : writeSmallFile)(places.file(name), sealed, mode),
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
    const end = endOf(kind)
    return names
      .filter(name => name.endsWith(end) && !name.endsWith('.tmp'))
      .map(name => name.slice(0, name.length - end.length).replaceAll('%3a', ':'))
  }

  async delete(kind: DerivedKind, key: string, options: AbortOptions = {}): Promise<void> {
    const name = this.#name(kind, key, options)
    await this.#context.prepareWrite()
    const { places } = this.#context
    await onDisk({ act: 'remove', path: name, writes: true }, async () => {
      try {
        // PERF: through the thread pool, as the removal of a file may wait for the disk.
        await removeFile(places.file(name))
      } catch (error) {
        if (!isErrno(error, 'EISDIR', 'EPERM')) throw error
        await makeWay(places.file(name))
      }
    })
  }

  /** Writes or reads small data synchronously; without a free file descriptor it waits for one. */
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

  /** Path relative to the store. */
  #name(kind: DerivedKind, key: string, options: AbortOptions): string {
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    checkDerivedKey(kind, key)
    // Windows file names cannot contain a colon; keys cannot contain a percent sign.
    return `.layerstore/${kind}/${key.replaceAll(':', '%3a')}${endOf(kind)}`
  }
}

const JSON_OBJECT = /^\s*\{/

/** A collection finds the records of a cache by this end. */
function endOf(kind: DerivedKind): string {
  return kind === 'cache' ? '.json' : ''
}

/** After a power cut a record may be torn; then it does not parse. */
function wholeRecord(bytes: Buffer): Buffer | undefined {
  try {
    JSON.parse(bytes.toString('utf8'))
    return bytes
  } catch {
    return undefined
  }
}

/**
 * PERF: writes first and creates the directory or clears the path only on failure: checking first costs as much as
 * writing.
 */
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

/** Ignores a write that a read-only store refuses: derived data is optional. */
async function whereWritable(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof StoreError && error.code === 'ERR_STORE_READ_ONLY')) throw error
  }
}
