import type { Digest } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { CheckDriver, CheckFault, FoundFile, NamedEntry, Store } from '../../store/index.ts'
import { checkDriverOf, faultOf } from '../../store/index.ts'
import { loadProgress } from './check-progress.ts'
import { type CheckReport, Findings } from './check-report.ts'
import { findHeld } from './find-held.ts'
import { type FoundBlob, verifyBlobs } from './verify-blobs.ts'
import { type Expectation, type Reached, rootOf, walkDocuments } from './walk-documents.ts'

/** Progress of a running check. */
export interface CheckProgress {
  /** Digest of the last blob read. */
  readonly digest: Digest
  /** Number of blobs read. */
  readonly blobs: number
  /** Number of blobs to read. */
  readonly totalBlobs: number
  /** Number of bytes read. */
  readonly bytes: number
  /** Number of bytes to read. */
  readonly totalBytes: number
}

/** Options of a check. */
export interface CheckStoreOptions extends AbortOptions {
  /** Read every blob and compare it with its digest, not only with its size. @defaultValue `true` */
  readonly content?: boolean | undefined
  /** Move corrupt blobs to the quarantine directory. @defaultValue `false` */
  readonly quarantine?: boolean | undefined
  /** Number of blobs read at once. @defaultValue `4` */
  readonly concurrency?: number | undefined
  /** Maximum number of bytes read per second, to leave disk bandwidth to other processes. @defaultValue no limit */
  readonly bytesPerSecond?: number | undefined
  /**
   * Resume a check of this store that was aborted in the last seven days, instead of reading everything again. Names
   * and sizes are always checked anew. @defaultValue `false`
   */
  readonly resume?: boolean | undefined
  /** Called after each blob; must not throw. */
  readonly onProgress?: ((progress: CheckProgress) => void) | undefined
}

/**
 * Checks a store: every blob against its digest, every name down to the last layer, the list of names and the leases.
 * Changes nothing unless `quarantine` is set. Other processes may use the store meanwhile: blobs that they add or
 * remove during the check are not reported.
 *
 * The report lists the problems; they do not reject the call. A read that the system refuses (EIO) is a fault with its
 * errno, never a corrupt blob, and moves nothing. Files of other programs are reported as stray and are not changed.
 * Memory: a few hundred bytes for each blob.
 *
 * An aborted check saves its progress; see `resume`.
 *
 * @example
 * ```ts
 * const report = await checkStore(store)
 * if (!report.sound) console.error(report.problems, report.faults)
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT`; {@link StoreError} if the store cannot be listed at all.
 */
export async function checkStore(store: Store, options: CheckStoreOptions = {}): Promise<CheckReport> {
  checkOptions(options)
  options.signal?.throwIfAborted()
  return new StoreCheck(store, options).run()
}

function checkOptions({ concurrency = 1, bytesPerSecond = 1 }: CheckStoreOptions): void {
  if (!(Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 64)) {
    throw new FormatError('ERR_INVALID_ARGUMENT', 'concurrency of a check must be from 1 to 64')
  }
  if (!(bytesPerSecond > 0)) {
    throw new FormatError('ERR_INVALID_ARGUMENT', 'bytesPerSecond of a check must be above 0')
  }
}

/** Number of extra look-ups for a blob that seems to be missing. */
const LOOKS = 2

class StoreCheck {
  readonly #store: Store
  readonly #driver: CheckDriver
  readonly #options: CheckStoreOptions
  readonly #findings = new Findings()
  readonly #blobs = new Map<Digest, FoundBlob>()
  readonly #damaged = new Set<Digest>()

  constructor(store: Store, options: CheckStoreOptions) {
    this.#store = store
    this.#driver = checkDriverOf(store)
    this.#options = options
  }

  async run(): Promise<CheckReport> {
    const { signal } = this.#options
    const findings = this.#findings
    // Names are read before blobs: a blob named later was not listed, and a blob removed meanwhile is looked up again
    // below.
    const { entries, faults } = await this.#driver.names({ signal })
    const others = await this.#driver.faults({ signal })
    findings.faults.push(...faults, ...others)
    // A damaged lease still shows what it may protect; an unreadable one does not.
    const rootsKnown = faults.length === 0 && others.every(({ code }) => code === 'ERR_STORE_FORMAT')
    const reached = await this.#walk(entries)
    findings.faults.push(...reached.faults)
    for await (const file of this.#driver.files({ signal })) await this.#see(file, reached)
    const sums = await this.#readAll(reached)
    this.#compareSizes(reached)
    await this.#findMissing(reached)
    // While names or leases are unreadable, every blob would look like an orphan.
    if (rootsKnown) await this.#findOrphans(reached)
    return findings.report({ names: entries.filter(({ name }) => name !== undefined).length, ...sums })
  }

  #walk(entries: readonly NamedEntry[]): Promise<Reached> {
    const { signal, concurrency = 4 } = this.#options
    return walkDocuments(this.#store, entries.map(rootOf), { signal, concurrency })
  }

  async #see(file: FoundFile, reached: Reached): Promise<void> {
    if (file.kind === 'blob') {
      this.#blobs.set(file.digest, file)
      return
    }
    if (file.kind === 'stray') {
      const { path, actual } = file
      const reason = 'left by another program'
      this.#findings.add({ class: 'stray', path, expected: 'nothing', actual, reason })
      return
    }
    await this.#damage(file, 'a regular file', file.actual, reached.blobs.get(file.digest))
  }

  async #readAll(reached: Reached): Promise<{ blobs: number; bytes: number; resumed: boolean }> {
    const { content = true, resume = false, concurrency = 4, bytesPerSecond, signal, onProgress } = this.#options
    if (!content) return { blobs: 0, bytes: 0, resumed: false }
    const blobs = [...this.#blobs.values()]
    const totals = { totalBlobs: blobs.length, totalBytes: blobs.reduce((sum, { size }) => sum + size, 0) }
    const from = resume ? await loadProgress(this.#store) : undefined
    const sums = await verifyBlobs(this.#store, blobs, {
      concurrency,
      bytesPerSecond,
      signal,
      from,
      onBlob: (digest, sofar) => onProgress?.({ digest, ...sofar, ...totals }),
      onCorrupt: (blob, { expected, actual }) =>
        this.#damage(blob, expected, actual, reached.blobs.get(blob.digest), blob.size),
      onFault: fault => this.#findings.faults.push(withReason(fault, reached)),
    })
    return { ...sums, resumed: from !== undefined }
  }

  async #damage(
    { digest, path }: { digest: Digest; path: string },
    expected: string,
    actual: string,
    expectations: readonly Expectation[] | undefined,
    size?: number,
  ): Promise<void> {
    this.#damaged.add(digest)
    const first = expectations?.[0]
    const short = first !== undefined && size !== undefined && size < first.descriptor.size
    const { quarantine = false } = this.#options
    const quarantinedTo = quarantine ? await this.#driver.quarantine(digest) : undefined
    this.#findings.add({
      class: short ? 'short' : 'corrupt',
      digest,
      path,
      expected: short ? `size ${first.descriptor.size}` : expected,
      actual: short ? `size ${size}` : actual,
      reason: first?.reason ?? 'no name leads to it',
      ...(first ? { descriptor: first.descriptor } : {}),
      ...(quarantinedTo === undefined ? {} : { quarantinedTo }),
    })
  }

  /** Reports an intact blob whose descriptor states another size: the descriptor is wrong. */
  #compareSizes({ blobs }: Reached): void {
    const { content = true } = this.#options
    for (const [digest, expectations] of blobs) {
      const found = this.#blobs.get(digest)
      if (!found || this.#damaged.has(digest)) continue
      for (const { descriptor, reason } of expectations) {
        if (descriptor.size === found.size) continue
        if (!content) {
          const [expected, actual] = [`size ${descriptor.size}`, `size ${found.size}`]
          const kind = found.size < descriptor.size ? 'short' : 'corrupt'
          this.#findings.add({ class: kind, digest, path: found.path, expected, actual, reason, descriptor })
          break
        }
        const message = `named with ${descriptor.size} bytes, but the blob of this digest has ${found.size}`
        this.#findings.faults.push({ digest, path: found.path, code: 'ERR_SIZE_MISMATCH', message, reason })
      }
    }
  }

  /**
   * Confirms missing blobs. Another process may have removed a blob together with its name since the names were read. A
   * name never outlives its blobs, so a blob that is missing after each fresh read of the names is really missing.
   */
  async #findMissing(reached: Reached): Promise<void> {
    const { signal } = this.#options
    let missing = await this.#missingOf(reached)
    for (let again = 0; again < LOOKS && missing.length > 0; again++) {
      const before = new Set(missing.map(({ descriptor }) => descriptor.digest))
      const now = await this.#missingOf(await this.#walk((await this.#driver.names({ signal })).entries))
      missing = now.filter(({ descriptor }) => before.has(descriptor.digest))
    }
    for (const { descriptor, reason } of missing) {
      const { digest, size } = descriptor
      const expected = `${size} bytes`
      this.#findings.add({ class: 'missing', digest, path: digest, expected, actual: 'nothing', reason, descriptor })
    }
  }

  async #missingOf({ blobs }: Reached): Promise<Expectation[]> {
    const missing: Expectation[] = []
    for (const [digest, expectations] of blobs) {
      const needed = expectations.find(({ optional }) => !optional)
      if (!needed || this.#blobs.has(digest) || this.#damaged.has(digest)) continue
      if (!(await this.#store.stat(digest, { signal: this.#options.signal }))) missing.push(needed)
    }
    return missing
  }

  async #findOrphans({ blobs }: Reached): Promise<void> {
    const { signal } = this.#options
    const loose = [...this.#blobs.values()].filter(({ digest }) => !blobs.has(digest) && !this.#damaged.has(digest))
    if (loose.length === 0) return
    try {
      const held = await findHeld(this.#store, blobs.keys(), loose, { signal })
      for (const { digest, path, size } of loose) {
        if (held.has(digest)) continue
        const reason = 'no name leads to it'
        this.#findings.add({ class: 'orphan', digest, path, expected: 'a name', actual: `${size} bytes`, reason })
      }
    } catch (error) {
      signal?.throwIfAborted()
      this.#findings.faults.push(faultOf(error, { path: '.', reason: 'looking for blobs that nothing needs' }))
    }
  }
}

function withReason(fault: CheckFault, { blobs }: Reached): CheckFault {
  const reason = fault.digest && blobs.get(fault.digest)?.[0]?.reason
  return reason === undefined ? fault : { ...fault, reason }
}
