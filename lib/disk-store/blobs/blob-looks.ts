import type { Stats } from 'node:fs'
import { join } from 'node:path'
import { type Digest, type DigestAlgorithm, splitDigest } from '../../digest/index.ts'
import { EventLoopYielder } from '../../internal/concurrency/event-loop-yielder.ts'
import { isErrno } from '../../internal/errno.ts'
import { onDisk } from '../io-error.ts'
import { blobName, type Places } from '../places/places.ts'
import { lstat } from './calls-at-once.ts'

/** Maximum number of blobs looked at between two checks of their directory. */
const AT_ONCE = 64

interface Look {
  readonly digest: Digest
  readonly resolve: (stats: Stats | undefined | PromiseLike<Stats | undefined>) => void
  readonly reject: (reason: unknown) => void
}

/**
 * Looks at the files of blobs. Callers that ask before the same microtask are answered together.
 *
 * PERF: a pull looks for each of its blobs five times. The looks are synchronous, and after 8 ms of them the event loop
 * gets a turn. One check of the directory serves up to 64 looks, which follow it at once.
 */
export class BlobLooks {
  readonly #places: Places
  readonly #yielder = new EventLoopYielder()
  readonly #asked = new Map<DigestAlgorithm, Look[]>()
  #trash: Promise<boolean> | undefined

  constructor(places: Places) {
    this.#places = places
  }

  /** Stats of a blob's file, or `undefined`. Only a regular file is a blob. */
  look(digest: Digest): Promise<Stats | undefined> {
    const { algorithm } = splitDigest(digest)
    return new Promise((resolve, reject) => {
      const look = { digest, resolve, reject }
      const asked = this.#asked.get(algorithm)
      if (asked) return asked.push(look)
      const looks = [look]
      this.#asked.set(algorithm, looks)
      queueMicrotask(() => void this.#answer(algorithm, looks))
    })
  }

  async #answer(algorithm: DigestAlgorithm, looks: readonly Look[]): Promise<void> {
    this.#asked.delete(algorithm)
    for (let i = 0; i < looks.length; i += AT_ONCE) {
      if (this.#yielder.shouldYield()) await this.#yielder.yield()
      this.#lookAt(`blobs/${algorithm}`, looks.slice(i, i + AT_ONCE))
    }
  }

  #lookAt(name: string, looks: readonly Look[]): void {
    try {
      const directory = this.#places.directory(name)
      for (const { digest, resolve } of looks) {
        const path = join(directory, splitDigest(digest).hex)
        resolve(onDisk({ act: 'look at', path: blobName(digest) }, () => lookAtFile(path)))
      }
    } catch (error) {
      for (const { reject } of looks) reject(error)
    }
  }

  /** As {@link Places.hasTrash}. One look, made after they have asked, answers all callers. */
  hasTrash(): Promise<boolean> {
    this.#trash ??= Promise.resolve().then(() => {
      this.#trash = undefined
      return this.#places.hasTrash()
    })
    return this.#trash
  }
}

async function lookAtFile(path: string): Promise<Stats | undefined> {
  try {
    const stats = await lstat(path)
    return stats?.isFile() ? stats : undefined
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}
