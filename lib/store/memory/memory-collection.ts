import type { Digest } from '../../digest/index.ts'
import { isDigest } from '../../digest/index.ts'
import { KeyedMutex } from '../../internal/concurrency/keyed-mutex.ts'
import { Limits } from '../../oci/index.ts'
import type {
  AskNeeded,
  CollectionDriver,
  CollectionRoots,
  LeaseState,
  LiveRoots,
  RemovalOutcome,
  StoredBlob,
  UnfinishedUsage,
} from '../drivers/collection-driver.ts'
import type { LeaseStore } from '../leases/lease-store.ts'
import type { NamedDescriptor, ReferenceStore } from '../reference-store.ts'
import type { MemoryDerived } from './memory-derived.ts'
import type { PartialBlob } from './memory-sink.ts'

/** A blob and the time when it was last stored or acknowledged. */
export interface MemoryBlob {
  readonly bytes: Uint8Array
  modifiedMs: number
}

/** The parts of a memory store that collections use. */
export interface MemoryCollectionParts {
  readonly blobs: ReadonlyMap<Digest, MemoryBlob>
  readonly partial: ReadonlyMap<string, PartialBlob>
  readonly references: ReferenceStore & { readonly changes: number }
  readonly leases: LeaseStore
  readonly derived: MemoryDerived
  remove(digest: Digest): void
}

/** Collection driver of a memory store. */
export class MemoryCollection implements CollectionDriver {
  readonly readOnly = false
  readonly #parts: MemoryCollectionParts
  readonly #mutex = new KeyedMutex()

  constructor(parts: MemoryCollectionParts) {
    this.#parts = parts
  }

  async *blobs(): AsyncGenerator<readonly StoredBlob[], void, undefined> {
    yield [...this.#parts.blobs].map(([digest, { bytes, modifiedMs }]) => ({
      digest,
      size: bytes.byteLength,
      modifiedMs,
    }))
  }

  async roots(): Promise<CollectionRoots> {
    const ingests = [...this.#parts.partial.keys()].filter(isDigest)
    return { ...(await this.#liveRoots()), ingests, records: this.#parts.derived.records() }
  }

  async #liveRoots(): Promise<LiveRoots> {
    const names: NamedDescriptor[] = []
    const leases: LeaseState[] = []
    for await (const named of this.#parts.references.list()) names.push(named)
    for await (const lease of this.#parts.leases.list()) leases.push({ ...lease, holderLives: true })
    return { names, entries: [], leases }
  }

  async document(digest: Digest): Promise<Uint8Array | undefined> {
    const bytes = this.#parts.blobs.get(digest)?.bytes
    if (!bytes || bytes.byteLength > Limits.manifestBytes) return bytes && new Uint8Array(0)
    return /^\s*\{/.test(Buffer.from(bytes.subarray(0, 64)).toString('latin1')) ? bytes : new Uint8Array(0)
  }

  async alone<T>(act: () => Promise<T>, options: { signal?: AbortSignal | undefined } = {}): Promise<T> {
    return this.#mutex.runExclusive('collection', act, options.signal)
  }

  async forgetNames(names: readonly { name: string; digest: Digest }[]): Promise<string[]> {
    const gone: string[] = []
    for (const { name, digest } of names) {
      const descriptor = await this.#parts.references.get(name)
      if (descriptor?.digest === digest && (await this.#parts.references.delete(name))) gone.push(name)
    }
    return gone
  }

  async forgetRecords(records: readonly { record: string; modifiedMs: number }[]): Promise<string[]> {
    return records
      .filter(({ record, modifiedMs }) => this.#parts.derived.forgetRecord(record, modifiedMs))
      .map(({ record }) => record)
  }

  async forgetLeases(): Promise<void> {}

  async remove(blobs: readonly StoredBlob[], needed: AskNeeded): Promise<RemovalOutcome[]> {
    let isNeeded: (blob: StoredBlob) => boolean
    // Retry until nothing changed during the asynchronous check; the removals below are synchronous.
    for (let changes: string | undefined; changes !== this.#changes(blobs); ) {
      changes = this.#changes(blobs)
      const touched = blobs.filter(blob => this.#isTouched(blob))
      isNeeded = await needed(await this.#liveRoots(), touched)
    }
    return blobs.map(blob => ({ digest: blob.digest, outcome: this.#removeOne(blob, isNeeded(blob)) }))
  }

  #changes(blobs: readonly StoredBlob[]): string {
    return `${this.#parts.references.changes} ${blobs.filter(blob => this.#isTouched(blob)).length}`
  }

  #isTouched({ digest, modifiedMs }: StoredBlob): boolean {
    const blob = this.#parts.blobs.get(digest)
    return blob !== undefined && blob.modifiedMs !== modifiedMs
  }

  #removeOne({ digest, modifiedMs }: StoredBlob, needed: boolean): RemovalOutcome['outcome'] {
    const blob = this.#parts.blobs.get(digest)
    if (!blob) return 'gone'
    if (blob.modifiedMs !== modifiedMs) return 'changed'
    if (needed) return 'needed'
    this.#parts.remove(digest)
    return 'removed'
  }

  async unfinished(): Promise<UnfinishedUsage> {
    const chunks = [...this.#parts.partial.values()].map(partial => partial.chunks)
    const bytes = chunks.flat().reduce((sum, chunk) => sum + chunk.byteLength, 0)
    return { count: chunks.length, bytes }
  }
}
