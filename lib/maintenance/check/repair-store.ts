import { type Digest, splitDigest, verifyBytes } from '../../digest/index.ts'
import { BlobCorruptError, BlobNotFoundError, FormatError, StoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { BlobWriter, CheckDriver, MendedFile, Store } from '../../store/index.ts'
import { checkDriverOf } from '../../store/index.ts'
import type { CheckReport } from './check-report.ts'
import { findRoots } from './find-roots.ts'
import type { RepairSource } from './repair-source.ts'
import { type Root, walkDocuments } from './walk-documents.ts'

/** Progress of a running repair. */
export interface RepairProgress {
  /** Digest of the blob. */
  readonly digest: Digest
  /** Label of the source that has the blob. */
  readonly source: string
  /** Number of its bytes transferred. */
  readonly bytes: number
}

/** Options of a repair. */
export interface RepairStoreOptions extends AbortOptions {
  /**
   * Also move damaged blobs without an intact copy to the quarantine directory. A later pull then fetches them; as long
   * as a damaged blob keeps its path, it counts as present. @defaultValue `true`
   */
  readonly quarantine?: boolean | undefined
  /** Called after each blob; must not throw. */
  readonly onProgress?: ((progress: RepairProgress) => void) | undefined
}

/** Result of a repair. */
export interface RepairResult {
  /** Blobs that are intact now, and their sources. */
  readonly repaired: readonly RepairProgress[]
  /** Damaged blobs that were moved to quarantine. */
  readonly quarantined: readonly {
    /** Digest of the blob. */
    readonly digest: Digest
    /** New path, relative to the store. */
    readonly to: string
  }[]
  /** Files of the store that were made usable again. */
  readonly mended: readonly MendedFile[]
  /** Problems that remain, with the answer of every source. */
  readonly unrepaired: readonly {
    /** Path relative to the store. */
    readonly path: string
    /** Reason from the check report. */
    readonly reason: string
    /** Human-readable cause of the failure. */
    readonly why: string
  }[]
}

/**
 * Repairs the problems of a check report:
 *
 * - fetches only the missing, short or corrupt blobs, each from the first source that has it intact;
 * - moves damaged blobs to the quarantine directory;
 * - makes a damaged list of names usable again.
 *
 * After it has restored a document, it also fetches the missing blobs below it. Orphans and strays are not changed.
 * Blobs are ingested as usual and become visible only when complete and verified. No damaged file is deleted.
 * Idempotent.
 *
 * @example
 * ```ts
 * const report = await checkStore(store)
 * const { repaired, unrepaired } = await repairStore(store, report, [repairFromRegistry(registry, 'ghcr.io/team/app')])
 * ```
 *
 * @throws {@link StoreError} `ERR_STORE_READ_ONLY`, `ERR_STORE_IO`; {@link FormatError} `ERR_INVALID_ARGUMENT`.
 */
export async function repairStore(
  store: Store,
  report: CheckReport,
  sources: readonly RepairSource[],
  options: RepairStoreOptions = {},
): Promise<RepairResult> {
  if (report.kind !== 'check' || report.version !== 1) {
    throw new FormatError('ERR_INVALID_ARGUMENT', 'not the report of a check, of version 1')
  }
  options.signal?.throwIfAborted()
  return new Repair(store, sources, options).run(report)
}

/** A blob to restore. */
interface Wanted {
  /** Digest of the blob. */
  readonly digest: Digest
  readonly descriptor: Descriptor | undefined
  /** Reason from the check report. */
  readonly reason: string
  readonly damaged: boolean
}

class Repair {
  readonly #store: Store
  readonly #driver: CheckDriver
  readonly #sources: readonly RepairSource[]
  readonly #options: RepairStoreOptions
  readonly #repaired: RepairProgress[] = []
  readonly #quarantined: { digest: Digest; to: string }[] = []
  readonly #mended: MendedFile[] = []
  readonly #unrepaired: { path: string; reason: string; why: string }[] = []
  readonly #tried = new Set<Digest>()

  constructor(store: Store, sources: readonly RepairSource[], options: RepairStoreOptions) {
    this.#store = store
    this.#driver = checkDriverOf(store)
    this.#sources = sources
    this.#options = options
  }

  async run(report: CheckReport): Promise<RepairResult> {
    if (this.#driver.readOnly) throw new StoreError('ERR_STORE_READ_ONLY', 'a read-only store cannot be repaired')
    await this.#mendFiles(report)
    let wanted = report.problems.flatMap(({ class: kind, digest, descriptor, reason }): Wanted[] => {
      if (digest === undefined || kind === 'orphan' || kind === 'stray') return []
      return [{ digest, descriptor, reason, damaged: kind !== 'missing' }]
    })
    while (wanted.length > 0) {
      const back: Root[] = []
      for (const one of wanted) if (await this.#bringBack(one)) back.push(one as Root)
      wanted = await this.#missingBelow(back)
    }
    return {
      repaired: this.#repaired,
      quarantined: this.#quarantined,
      mended: this.#mended,
      unrepaired: this.#unrepaired,
    }
  }

  async #mendFiles({ faults }: CheckReport): Promise<void> {
    const { signal } = this.#options
    const paths = new Set(faults.filter(({ digest }) => digest === undefined).map(({ path }) => path))
    for (const path of paths) {
      signal?.throwIfAborted()
      const mended = await this.#driver.mend(path, () => findRoots(this.#store, { signal }))
      if (mended) this.#mended.push(mended)
    }
    const still = [...(await this.#driver.names({ signal })).faults, ...(await this.#driver.faults({ signal }))]
    for (const { path, message, reason } of [...faults.filter(({ digest }) => digest !== undefined), ...still]) {
      this.#unrepaired.push({ path, reason: reason ?? path, why: message })
    }
  }

  /** Finds missing blobs below restored documents, which the check could not know. */
  async #missingBelow(roots: readonly Root[]): Promise<Wanted[]> {
    const { signal } = this.#options
    const { blobs } = await walkDocuments(this.#store, roots, { signal, concurrency: 4 })
    const wanted: Wanted[] = []
    for (const [digest, expectations] of blobs) {
      const needed = expectations.find(({ optional }) => !optional)
      if (!needed || this.#tried.has(digest) || (await this.#store.stat(digest, { signal }))) continue
      wanted.push({ ...needed, digest, damaged: false })
    }
    return wanted
  }

  /** Resolves to whether the blob was damaged or missing and is intact now. */
  async #bringBack({ digest, descriptor, reason, damaged }: Wanted): Promise<boolean> {
    const { signal, quarantine = true } = this.#options
    signal?.throwIfAborted()
    if (this.#tried.has(digest)) return false
    if (descriptor) this.#tried.add(digest)
    // SAFETY: the report may be old and the blob intact by now; without this check a repair would replace it.
    if (await this.#isRight(digest)) return false
    const refused: string[] = []
    for (const source of descriptor ? this.#sources : []) {
      const why = await this.#fetchFrom(source, descriptor as Descriptor, damaged)
      if (why === undefined) return true
      refused.push(`${source.label}: ${why}`)
    }
    const moved = quarantine && damaged && (await this.#quarantine(digest))
    // The damaged blob has no descriptor and is in quarantine now: nothing needs a copy.
    if (!descriptor && moved) return false
    const why = refused.join('; ') || (descriptor ? 'there is no source to fetch it from' : 'nothing names it')
    this.#unrepaired.push({ path: digest, reason, why })
    return false
  }

  async #isRight(digest: Digest): Promise<boolean> {
    const { signal } = this.#options
    try {
      for await (const _ of this.#store.read(digest, { verify: 'always', onCorrupt: 'report', signal })) void _
      return true
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof BlobNotFoundError || error instanceof BlobCorruptError) return false
      throw error
    }
  }

  /** Fetches a blob and publishes it. Resolves to the reason if the source cannot supply it. */
  async #fetchFrom(source: RepairSource, descriptor: Descriptor, damaged: boolean): Promise<string | undefined> {
    const { digest, size } = descriptor
    const { signal, onProgress } = this.#options
    const writer = await this.#openWriter(digest)
    try {
      for await (const chunk of provenFrom(source, descriptor, signal)) await writer.write(chunk)
      // Only after an intact copy has arrived: until then a reader finds the old blob and a clear error.
      if (damaged) await this.#quarantine(digest)
      await writer.commit({ digest, size, signal })
    } catch (error) {
      if (error instanceof SourceFailure) return error.message
      throw error
    } finally {
      await writer.abort()
    }
    if (damaged && !(await this.#isRight(digest))) return 'the store cannot move a damaged blob to quarantine'
    const done = { digest, source: source.label, bytes: size }
    this.#repaired.push(done)
    onProgress?.(done)
    return undefined
  }

  async #openWriter(digest: Digest): Promise<BlobWriter> {
    const { signal } = this.#options
    const options = { algorithm: splitDigest(digest).algorithm, wait: true, signal }
    const writer = await this.#store.ingest(`repair ${digest}`, options)
    if (writer.offset === 0) return writer
    // A partial blob of a killed repair may come from a faulty source.
    await writer.abort()
    return this.#store.ingest(`repair ${digest}`, options)
  }

  async #quarantine(digest: Digest): Promise<boolean> {
    const to = await this.#driver.quarantine(digest)
    if (to !== undefined) this.#quarantined.push({ digest, to })
    return to !== undefined
  }
}

/** Failure of one source. The repair continues with the next source. */
class SourceFailure extends Error {}

async function* provenFrom(source: RepairSource, descriptor: Descriptor, signal: AbortSignal | undefined) {
  try {
    yield* verifyBytes(source.fetch(descriptor, { signal }), descriptor)
  } catch (cause) {
    signal?.throwIfAborted()
    throw new SourceFailure(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
