import { type Digest, splitDigest } from '../../digest/index.ts'
import { StoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { CheckDriver, CheckFault, FoundFile, FoundNames, MendedFile, NamedEntry } from '../../store/index.ts'
import { faultOf } from '../../store/index.ts'
import { readCollectionRecord } from '../announce/collection-record.ts'
import { quarantineBlobObject, quarantineObject } from '../blobs/quarantine-object.ts'
import { readFormat, resetFormat } from '../format-marker.ts'
import { damagedLeases } from '../leases/lease-objects.ts'
import type { ObjectContext } from '../object-context.ts'
import { digestIn, Keys, referenceKey } from '../objects/keys.ts'
import { readObject } from '../objects/read-object.ts'
import type { ObjectReferences } from '../references/object-references.ts'
import { MOST_REFERENCE_BYTES, parseReferenceObject, referenceBytes } from '../references/reference-record.ts'

/** Check driver of a store in a bucket. */
export class ObjectCheck implements CheckDriver {
  readonly #context: ObjectContext
  readonly #references: ObjectReferences

  constructor(context: ObjectContext, references: ObjectReferences) {
    this.#context = context
    this.#references = references
  }

  get readOnly(): boolean {
    return this.#context.settings.readOnly
  }

  async *files(options: AbortOptions = {}): AsyncGenerator<FoundFile, void, undefined> {
    this.#context.assertOpen()
    for await (const { key, size } of this.#context.bucket.list(Keys.blobs, options)) {
      const digest = digestIn(key, Keys.blobs)
      if (digest) yield { kind: 'blob', digest, size, path: key }
      else yield { kind: 'stray', path: key, actual: `an object of ${size} bytes` }
    }
  }

  async names(options: AbortOptions = {}): Promise<FoundNames> {
    this.#context.assertOpen()
    const entries: NamedEntry[] = []
    const faults: CheckFault[] = []
    for await (const listed of this.#references.entries(options)) {
      if ('named' in listed) entries.push(listed.named)
      else faults.push(faultOf(listed.error, { path: listed.key }))
    }
    return { entries, faults }
  }

  async faults(options: AbortOptions = {}): Promise<readonly CheckFault[]> {
    const faults: CheckFault[] = []
    const note = async (path: string, act: () => Promise<unknown>) => {
      try {
        await act()
      } catch (error) {
        options.signal?.throwIfAborted()
        faults.push(faultOf(error, { path }))
      }
    }
    await note(Keys.format, async () => {
      if (!(await readFormat(this.#context, options))) throw missing(Keys.format)
    })
    await note(Keys.collection, () => readCollectionRecord(this.#context.bucket, options))
    for (const key of await damagedLeases(this.#context, options)) {
      await note(key, () => Promise.reject(damagedLease(key)))
    }
    return faults
  }

  quarantine(digest: Digest): Promise<string | undefined> {
    splitDigest(digest)
    return quarantineBlobObject(this.#context, digest)
  }

  async mend(path: string, roots: () => Promise<readonly Descriptor[]>): Promise<MendedFile | undefined> {
    if (path === Keys.format) return this.#mendFormat()
    if (path === Keys.collection) return this.#mendCollection()
    if (path.startsWith(Keys.references)) return this.#mendName(path, roots)
    // SAFETY: a stored report may have been changed, or the lease written anew since; only a damaged one is moved.
    if (!(await damagedLeases(this.#context)).includes(path)) return undefined
    return this.#moveAway(path, 'moved to quarantine')
  }

  async #mendFormat(): Promise<MendedFile | undefined> {
    const code = await codeOf(async () => {
      if (!(await readFormat(this.#context))) throw missing(Keys.format)
    })
    if (code !== 'ERR_STORE_FORMAT') return undefined
    const moved = await this.#moveAway(Keys.format, 'written anew')
    await resetFormat(this.#context)
    return moved ?? { path: Keys.format, outcome: 'written anew' }
  }

  async #mendCollection(): Promise<MendedFile | undefined> {
    const code = await codeOf(() => readCollectionRecord(this.#context.bucket))
    if (code !== 'ERR_STORE_FORMAT') return undefined
    const moved = await this.#moveAway(Keys.collection, 'written anew')
    await this.#context.collections.reset()
    return moved
  }

  /** The name of a damaged object is lost; images that nothing refers to any more get names of their own. */
  async #mendName(path: string, roots: () => Promise<readonly Descriptor[]>): Promise<MendedFile | undefined> {
    const { bucket } = this.#context
    const found = await readObject(bucket, path, MOST_REFERENCE_BYTES)
    const code = await codeOf(async () => found && parseReferenceObject(found))
    if (code !== 'ERR_STORE_FORMAT') return undefined
    const named = new Set((await this.names()).entries.map(({ descriptor }) => descriptor.digest))
    const lost = (await roots()).filter(({ digest }) => !named.has(digest as Digest))
    for (const descriptor of lost) {
      const name = `recovered:${descriptor.digest.replace(':', '-')}`
      await bucket.put(referenceKey(name), referenceBytes(name, descriptor))
    }
    return this.#moveAway(path, `moved to quarantine; ${lost.length} images got names of their own`)
  }

  async #moveAway(path: string, outcome: string): Promise<MendedFile | undefined> {
    const quarantinedTo = await quarantineObject(this.#context, path, path)
    return quarantinedTo === undefined ? undefined : { path, outcome, quarantinedTo }
  }
}

function missing(key: string): StoreError {
  return new StoreError('ERR_STORE_FORMAT', `${key} is missing`)
}

function damagedLease(key: string): StoreError {
  const effect = 'the blobs that it protects are not known for certain; remove it if no running process needs them'
  return new StoreError('ERR_STORE_FORMAT', `${key} is damaged: ${effect}`)
}

async function codeOf(act: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await act()
    return undefined
  } catch (error) {
    if (error instanceof StoreError) return error.code
    throw error
  }
}
