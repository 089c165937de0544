import { strict as assert } from 'node:assert'
import { createCipheriv, createHash } from 'node:crypto'
import { type Digest, parseDigest } from '../../digest/index.ts'
import { LayerStoreError } from '../../errors/index.ts'
import type { BlobInfo, Store } from '../../store/index.ts'

/** A store driver or wrapper under test, and what can be done with it. */
export interface StoreSubject {
  /** A fresh, empty store. Called once for each case. */
  create(): Promise<Store>
  /** Removes what `create` made; the store has been closed. */
  destroy?(store: Store): Promise<void>
  /** Another store over the same data; the given one stays open. Absent where data lives as long as the store. */
  reopen?(store: Store): Promise<Store>
  /** Another store over the same data, that must refuse to write. */
  reopenReadOnly?(store: Store): Promise<Store>
  /** A store over the same data that can be written, for a subject that cannot: what it is to read is put through this one. */
  writable?(store: Store): Promise<Store>
  /** Changes the stored bytes of a blob behind the store's back. The blob has 100,000 bytes. */
  damage?(store: Store, digest: Digest, how: 'flip' | 'shorten' | 'extend' | 'empty'): Promise<void>
  /** What others put into the same data while the suite runs: it is passed over. */
  readonly strangers?: {
    /** Whether the store may list this blob. */
    blob(digest: Digest): boolean
    /** Whether the store may list this name. */
    name(name: string): boolean
  }
  /** Number of system handles that stores of this subject hold open at the moment. */
  openHandles?(store: Store): number
  /** Cases that do not apply, each with the reason. A name that no case has is an error. */
  without?: Readonly<Record<string, string>>
}

/** One case of a suite, for any test runner. */
export interface ConformanceCase {
  /** A sentence about behaviour. */
  readonly name: string
  /** Why the case does not apply to the subject, if it does not. */
  readonly skip?: string | undefined
  /** Passes if it resolves. */
  run(): Promise<void>
}

/** What a case is given. */
export interface CaseContext {
  readonly store: Store
  /** Where what is to be read is put: the same store, unless that cannot be written. */
  readonly writable: Store
  readonly subject: StoreSubject
  /** A second store over the same data. Closed after the case. */
  reopen(): Promise<Store>
  reopenReadOnly(): Promise<Store>
}

/** A case before it is bound to a subject. */
export interface CaseDefinition {
  /** The name. */
  readonly name: string
  /** Which optional part of the subject the case cannot do without. */
  readonly needs?: 'reopen' | 'reopenReadOnly' | 'openHandles' | 'damage'
  /** Whether the case only reads through the store, so that it holds for one that cannot be written as well. */
  readonly reads?: true
  run(context: CaseContext): Promise<void>
}

/** Binds definitions to a subject. */
export function casesFor(definitions: readonly CaseDefinition[], subject: StoreSubject): ConformanceCase[] {
  const names = new Set(definitions.map(definition => definition.name))
  for (const name of Object.keys(subject.without ?? {})) {
    assert.ok(names.has(name), `no conformance case is named ${JSON.stringify(name)}`)
  }
  return definitions.map(definition => ({
    /** The name. */ name: definition.name,
    skip: skipReason(definition, subject),
    run: () => runCase(definition, subject),
  }))
}

function skipReason({ name, needs, reads }: CaseDefinition, subject: StoreSubject): string | undefined {
  const reason = subject.without?.[name]
  if (reason) return reason
  if (subject.writable && !reads) return 'the case writes, and the subject cannot be written'
  return needs && !subject[needs] ? `the subject has no ${needs}` : undefined
}

async function runCase(definition: CaseDefinition, subject: StoreSubject): Promise<void> {
  const store = await subject.create()
  const others: Store[] = []
  if (subject.strangers) strangersOf.set(store, subject.strangers)
  const also = async (open: ((store: Store) => Promise<Store>) | undefined) => {
    assert.ok(open)
    const other = await open(store)
    others.push(other)
    if (subject.strangers) strangersOf.set(other, subject.strangers)
    return other
  }
  try {
    await definition.run({
      store,
      writable: (await subject.writable?.(store)) ?? store,
      subject,
      reopen: () => also(subject.reopen?.bind(subject)),
      reopenReadOnly: () => also(subject.reopenReadOnly?.bind(subject)),
    })
  } finally {
    for (const other of others) await other.close()
    await store.close()
    await subject.destroy?.(store)
  }
}

/** Who else uses the data of a store. */
const strangersOf = new WeakMap<Store, NonNullable<StoreSubject['strangers']>>()

/** Bytes that are the same on every run and do not repeat. */
export function contentOf(size: number, seed = 'layerstore'): Uint8Array {
  const key = createHash('sha256').update(seed).digest()
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size))
}

/** The digest of bytes, computed without the library. */
export function sha256Of(bytes: Uint8Array): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
}

/** All bytes of a stream. */
export async function drain(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Every blob of a store, ordered by digest. */
export async function blobsIn(store: Store): Promise<BlobInfo[]> {
  const blobs: BlobInfo[] = []
  for await (const blob of store.list()) if (!strangersOf.get(store)?.blob(blob.digest)) blobs.push(blob)
  return blobs.sort((a, b) => (a.digest < b.digest ? -1 : 1))
}

/** Every name of a store, in the order in which it lists them. */
export async function nameListOf(store: Store): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of store.references.list()) if (!strangersOf.get(store)?.name(name)) names.push(name)
  return names
}

/** Asserts that a call fails with an error of this library that has this code. */
export async function failsWith(code: string, act: () => Promise<unknown>): Promise<void> {
  await assert.rejects(act, error => {
    assert.ok(LayerStoreError.is(error), `not an error of the library: ${String(error)}`)
    assert.equal(error.code, code)
    return true
  })
}
