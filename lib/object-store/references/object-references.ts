import type { Digest } from '../../digest/index.ts'
import { StoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { sleep } from '../../internal/concurrency/sleep.ts'
import { settleAll } from '../../internal/settle-all.ts'
import { type Descriptor, parseDescriptor } from '../../oci/index.ts'
import type { BlobReader, NamedDescriptor, ReferenceStore, SetReferenceOptions } from '../../store/index.ts'
import { assertExpected, nameableGraph, spellingsOf, storedName } from '../../store/index.ts'
import type { RunningCollection } from '../announce/running-collection.ts'
import type { NamingLease } from '../leases/naming-lease.ts'
import type { ObjectContext } from '../object-context.ts'
import { Keys, referenceKey } from '../objects/keys.ts'
import { readObject } from '../objects/read-object.ts'
import { type ListedReference, ReferenceList } from './reference-list.ts'
import {
  changesIn,
  MOST_REFERENCE_BYTES,
  nameInKey,
  newChange,
  parseReferenceObject,
  referenceBytes,
} from './reference-record.ts'

const LONGEST_PAUSE_MS = 200

interface FoundReference extends NamedDescriptor {
  readonly etag: string
  readonly changes: readonly string[]
}

/** Names of a store in a bucket: one object each. */
export class ObjectReferences implements ReferenceStore {
  readonly #context: ObjectContext
  readonly #blobs: BlobReader
  readonly #naming: NamingLease
  readonly #list: ReferenceList
  #names: readonly string[] = []

  constructor(context: ObjectContext, blobs: BlobReader, naming: NamingLease) {
    this.#context = context
    this.#blobs = blobs
    this.#naming = naming
    this.#list = new ReferenceList(context)
  }

  /**
   * The blobs. SAFETY: one that was found or stored under a lease that is still held stays until the lease ends, and
   * the naming lease protects the image before that. So no request looks for such a blob.
   */
  get #stored(): BlobReader {
    return {
      stat: async (digest, options) => this.#context.held.find(digest) ?? this.#blobs.stat(digest, options),
      read: (digest, options) => this.#blobs.read(digest, options),
    }
  }

  async get(name: string, options: AbortOptions = {}): Promise<Descriptor | undefined> {
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    return (await this.#find(name, options))?.descriptor
  }

  /**
   * Sets a name.
   *
   * SAFETY: no collection removes a blob of the image between its verification and the name, and no collection takes
   * the name for the one that it is dropping:
   *
   * 1. A lease names the image. A collection that is announced later sees it.
   * 2. Removals that were announced earlier are waited for.
   * 3. The image is verified, and the name written. The lease ends afterwards; collections read leases before names.
   * 4. If a collection had announced meanwhile that it drops this name, it may have removed the new one: the name is
   *    written again if it is gone.
   */
  async set(name: string, descriptor: Descriptor, options: SetReferenceOptions = {}): Promise<string> {
    this.#context.assertWritable()
    options.signal?.throwIfAborted()
    const kept = storedName(name, options)
    const copy = structuredClone(parseDescriptor(descriptor))
    const release = await this.#naming.cover(copy.digest)
    try {
      await this.#context.collections.settle(({ blobs }) => blobs.length > 0, options)
      await nameableGraph(this.#stored, copy, options)
      this.#context.assertOpen()
      options.signal?.throwIfAborted()
      const bytes = await this.#write(name, kept, copy, options)
      if (bytes) await this.#keepIfDropped(kept, bytes)
    } finally {
      release()
    }
    return kept
  }

  /** Resolves to the bytes of the name; `undefined` if another process has replaced them. */
  async #write(
    name: string,
    kept: string,
    descriptor: Descriptor,
    options: SetReferenceOptions,
  ): Promise<Buffer | undefined> {
    const { bucket } = this.#context
    let bytes: Buffer | undefined = referenceBytes(kept, descriptor)
    if (options.expected === undefined) await bucket.put(referenceKey(kept), bytes)
    else bytes = await this.#swap(name, kept, descriptor, options)
    // An entry under the given spelling, set with `verbatim`, would hide the new one.
    const isOther = name !== kept && spellingsOf(name).length > 1
    if (isOther && (await bucket.head(referenceKey(name)))) await bucket.delete(referenceKey(name))
    return bytes
  }

  /**
   * Writes the name only over the version whose digest was compared.
   *
   * SAFETY: if the answer to the write is lost and another process then replaces the name, the repeated request fails.
   * A conflict would say that the change was never made, and a second write over the same digest would undo the change
   * of the other process. A version that was written by compare-and-swap names the changes before it, so a change that
   * was made is found there.
   */
  async #swap(
    name: string,
    kept: string,
    descriptor: Descriptor,
    options: SetReferenceOptions,
  ): Promise<Buffer | undefined> {
    const change = newChange()
    let isUncertain = false
    for (let pause = 1; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      options.signal?.throwIfAborted()
      const found = await this.#find(name, options)
      if (found?.changes.includes(change)) return undefined
      assertSwappable(kept, found?.descriptor.digest, options, isUncertain)
      const bytes = referenceBytes(kept, descriptor, change, found?.changes)
      const condition = found?.name === kept ? { ifMatch: found.etag } : { ifNoneMatch: true as const }
      const result = await this.#context.bucket.put(referenceKey(kept), bytes, condition)
      if (result.stored) return bytes
      isUncertain ||= result.uncertain
      // Another process was faster: the digest is compared again.
      await sleep(Math.random() * pause, options.signal)
    }
  }

  async #keepIfDropped(kept: string, bytes: Buffer): Promise<void> {
    const waited = await this.#context.collections.settle(({ names }) => names.includes(kept))
    if (waited) await this.#context.bucket.put(referenceKey(kept), bytes, { ifNoneMatch: true })
  }

  async delete(name: string, options: AbortOptions = {}): Promise<boolean> {
    this.#context.assertWritable()
    options.signal?.throwIfAborted()
    const key = await this.#keyOf(name, options)
    if (key === undefined) return false
    await this.#context.bucket.delete(key)
    return true
  }

  async #keyOf(name: string, options: AbortOptions): Promise<string | undefined> {
    for (const key of keysOf(name)) if (await this.#context.bucket.head(key, options)) return key
    return undefined
  }

  async #find(name: string, options: AbortOptions): Promise<FoundReference | undefined> {
    for (const key of keysOf(name)) {
      const found = await readObject(this.#context.bucket, key, MOST_REFERENCE_BYTES, options)
      if (found) return { ...parseReferenceObject(found), etag: found.facts.etag, changes: changesIn(found) }
    }
    return undefined
  }

  async names(options: AbortOptions = {}): Promise<readonly string[]> {
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    const names: string[] = []
    for await (const { key } of this.#context.bucket.list(Keys.references, options)) names.push(nameInKey(key))
    const isSame = names.length === this.#names.length && names.every((name, i) => name === this.#names[i])
    if (!isSame) this.#names = names
    return this.#names
  }

  async *list(options: AbortOptions = {}): AsyncGenerator<NamedDescriptor, void, undefined> {
    this.#context.assertOpen()
    let fault: { readonly error: unknown } | undefined
    for await (const listed of this.entries(options)) {
      options.signal?.throwIfAborted()
      if ('named' in listed) yield structuredClone(listed.named)
      else fault ??= listed
    }
    if (fault) throw fault.error
  }

  /** Every name, readable or not; for collections and checks. */
  entries(options: AbortOptions = {}): AsyncIterable<ListedReference> {
    return this.#list.list(options)
  }

  /** Removes names that still refer to these digests; resolves to the names removed. They are announced. */
  async forget(
    names: readonly { name: string; digest: Digest }[],
    running: Pick<RunningCollection, 'send'>,
  ): Promise<string[]> {
    const looks = await settleAll(names.map(({ name }) => this.#find(name, {})))
    const gone = names.flatMap(({ name, digest }, i) => {
      const found = looks[i]
      return found?.name === name && found.descriptor.digest === digest ? [name] : []
    })
    if (gone.length === 0) return gone
    const faults = await running.send(options => this.#context.bucket.deleteMany(gone.map(referenceKey), options))
    const failed = new Set(faults.map(({ key }) => key))
    return gone.filter(name => !failed.has(referenceKey(name)))
  }
}

/** As {@link assertExpected}; the error of a change whose answer was lost says so. */
function assertSwappable(
  name: string,
  actual: Digest | undefined,
  options: SetReferenceOptions,
  isUncertain: boolean,
): void {
  try {
    assertExpected(name, actual, options)
  } catch (cause) {
    if (!isUncertain) throw cause
    const lost = 'the answer to this change was lost: it may have been made before that'
    throw new StoreError('ERR_REFERENCE_CONFLICT', `${(cause as Error).message}; ${lost}`, { cause })
  }
}

/** Keys under which a name may be stored. A text that cannot be a name has none. */
function keysOf(name: string): string[] {
  return spellingsOf(name).filter(isStorable).map(referenceKey)
}

function isStorable(name: string): boolean {
  try {
    storedName(name, { verbatim: true })
    return true
  } catch {
    return false
  }
}
