import { strict as assert } from 'node:assert'
import { AsyncLocalStorage } from 'node:async_hooks'
import { createCipheriv, createHash } from 'node:crypto'
import { type Digest, parseDigest } from '../../digest/index.ts'
import { LayerStoreError } from '../../errors/index.ts'
import type { BlobInfo, Store } from '../../store/index.ts'

/** A store driver or wrapper under test, with the operations that the cases need. */
export interface StoreSubject {
  /** Creates an empty store. Called once for each case. */
  create(): Promise<Store>
  /** Removes what `create` made. The store is closed before. */
  destroy?(store: Store): Promise<void>
  /**
   * Opens another store over the same data; the given one stays open. Absent if the data lives as long as the store.
   */
  reopen?(store: Store): Promise<Store>
  /** Opens another store over the same data, which must refuse to write. */
  reopenReadOnly?(store: Store): Promise<Store>
  /** Opens a writable store over the same data, for a read-only subject. The cases put blobs through it. */
  writable?(store: Store): Promise<Store>
  /** Changes the stored bytes of a blob without the store. The blob has 100,000 bytes. */
  damage?(store: Store, digest: Digest, how: 'flip' | 'shorten' | 'extend' | 'empty'): Promise<void>
  /** Blobs and names that other processes write to the same data while the suite runs. The cases ignore them. */
  readonly foreign?: {
    /** True if another process may have put this blob. */
    blob(digest: Digest): boolean
    /** True if another process may have set this name. */
    name(name: string): boolean
  }
  /**
   * Text that gives each case bytes of its own, which no other case and no run with another seed writes. Several runs
   * over the same data need one each.
   */
  readonly seed?: string | undefined
  /** Number of system handles that the stores of this subject hold open. */
  openHandles?(store: Store): number
  /** Names of cases that do not apply, each with the reason. An unknown name is an error. */
  without?: Readonly<Record<string, string>>
}

/** One case of a suite, for any test runner. */
export interface ConformanceCase {
  /** Sentence that states the tested behaviour. */
  readonly name: string
  /** Reason why the case does not apply to the subject; `undefined` if it does. */
  readonly skip?: string | undefined
  /** Runs the case; resolves if it passes. */
  run(): Promise<void>
}

/** Context of a running case. */
export interface CaseContext {
  readonly store: Store
  /** Store to put blobs through: the store under test, or its writable counterpart. */
  readonly writable: Store
  readonly subject: StoreSubject
  /** Opens a second store over the same data. The suite closes it after the case. */
  reopen(): Promise<Store>
  reopenReadOnly(): Promise<Store>
}

/** A case before it is bound to a subject. */
export interface CaseDefinition {
  /** Name of the case. */
  readonly name: string
  /** Optional member of the subject that the case requires. */
  readonly needs?: 'reopen' | 'reopenReadOnly' | 'openHandles' | 'damage'
  /** The case only reads through the store, so it also applies to a read-only one. */
  readonly reads?: true
  run(context: CaseContext): Promise<void>
}

/** Binds case definitions to a subject. */
export function casesFor(definitions: readonly CaseDefinition[], subject: StoreSubject): ConformanceCase[] {
  const names = new Set(definitions.map(definition => definition.name))
  for (const name of Object.keys(subject.without ?? {})) {
    assert.ok(names.has(name), `no conformance case is named ${JSON.stringify(name)}`)
  }
  return definitions.map(definition => ({
    name: definition.name,
    skip: skipReason(definition, subject),
    run: () => runCase(definition, subject),
  }))
}

function skipReason({ name, needs, reads }: CaseDefinition, subject: StoreSubject): string | undefined {
  const reason = subject.without?.[name]
  if (reason) return reason
  if (subject.writable && !reads) return 'the case writes, but the subject is read-only'
  return needs && !subject[needs] ? `the subject has no ${needs}` : undefined
}

async function runCase(definition: CaseDefinition, subject: StoreSubject): Promise<void> {
  const store = await subject.create()
  const others: Store[] = []
  if (subject.foreign) foreignOf.set(store, subject.foreign)
  const also = async (open: ((store: Store) => Promise<Store>) | undefined) => {
    assert.ok(open)
    const other = await open(store)
    others.push(other)
    if (subject.foreign) foreignOf.set(other, subject.foreign)
    return other
  }
  try {
    const context: CaseContext = {
      store,
      writable: (await subject.writable?.(store)) ?? store,
      subject,
      reopen: () => also(subject.reopen?.bind(subject)),
      reopenReadOnly: () => also(subject.reopenReadOnly?.bind(subject)),
    }
    const seed = subject.seed === undefined ? '' : `${subject.seed} ${definition.name} `
    await seeds.run(seed, () => definition.run(context))
  } finally {
    for (const other of others) await other.close()
    await store.close()
    await subject.destroy?.(store)
  }
}

/** Blobs and names of other processes, by store. */
const foreignOf = new WeakMap<Store, NonNullable<StoreSubject['foreign']>>()

/** Seed of the running case; cases may run at once. */
const seeds = new AsyncLocalStorage<string>()

/** Returns bytes that are the same on every run with the same seed of the subject, and do not repeat. */
export function contentOf(size: number, seed = 'layerstore'): Uint8Array {
  const own = seeds.getStore() ?? ''
  const key = createHash('sha256').update(`${own}${seed}`).digest()
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size))
}

/** Computes a SHA-256 digest without the library. */
export function sha256Of(bytes: Uint8Array): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
}

/** Reads a stream to its end and concatenates its chunks. */
export async function drain(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Lists every blob of a store, ordered by digest. */
export async function blobsIn(store: Store): Promise<BlobInfo[]> {
  const blobs: BlobInfo[] = []
  for await (const blob of store.list()) if (!foreignOf.get(store)?.blob(blob.digest)) blobs.push(blob)
  return blobs.sort((a, b) => (a.digest < b.digest ? -1 : 1))
}

/** Lists every name of a store, in the store's order. */
export async function nameListOf(store: Store): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of store.references.list()) if (!foreignOf.get(store)?.name(name)) names.push(name)
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
