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

/** News of a running check. */
export interface CheckProgress {
  /** The blob that was read last. */
  readonly digest: Digest
  /** Blobs read, and how many there are. */
  readonly blobs: number
  /** Blobs to look at. */
  readonly totalBlobs: number
  /** Bytes read, and how many there are. */
  readonly bytes: number
  /** Bytes to read. */
  readonly totalBytes: number
}

/** How to check a store. */
export interface CheckStoreOptions extends AbortOptions {
  /** Read every blob and compare it with its digest, not only its size. @defaultValue `true` */
  readonly content?: boolean | undefined
  /** Move corrupt blobs out of the way, to where they are kept. @defaultValue `false` */
  readonly quarantine?: boolean | undefined
  /** Blobs read at once. @defaultValue `4` */
  readonly concurrency?: number | undefined
  /** Bytes read in a second at most, so that others can work meanwhile. @defaultValue as fast as possible */
  readonly bytesPerSecond?: number | undefined
  /**
   * Go on where a check of this store was broken off in the last seven days, instead of reading everything again. Names and
   * sizes are always looked at anew. @defaultValue `false`
   */
  readonly resume?: boolean | undefined
  /** Called after each blob; must not throw. */
  readonly onProgress?: ((progress: CheckProgress) => void) | undefined
}

/**
 * Looks at everything in a store: every blob against its digest, every name down to the last layer, the list of names, the
 * leases. Changes nothing unless `quarantine` is set. Others may use the store meanwhile: what they bring or remove during
 * the check is no finding.
 *
 * What is wrong is in the report, and does not make the call reject. What the system could not read (EIO) is a fault with
 * its errno, never a corrupt blob: nothing is moved because of it. Files of others are reported as stray and left alone.
 * Memory: a few hundred bytes for each blob.
 *
 * An aborted check leaves word of how far it has come; see `resume`.
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

/** How often what seems to be missing is looked for again. */
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
    // Names before blobs: what is named later was not listed, and what is removed meanwhile is asked for again below.
    const { entries, faults } = await this.#driver.names({ signal })
    const others = await this.#driver.faults({ signal })
    findings.faults.push(...faults, ...others)
    // A damaged lease still says for how much it may count; one that cannot be read says nothing.
    const rootsKnown = faults.length === 0 && others.every(({ code }) => code === 'ERR_STORE_FORMAT')
    const reached = await this.#walk(entries)
    findings.faults.push(...reached.faults)
    for await (const file of this.#driver.files({ signal })) await this.#see(file, reached)
    const sums = await this.#readAll(reached)
    this.#compareSizes(reached)
    await this.#findMissing(reached)
    // While names or leases cannot be read, every blob would look like one that nobody needs.
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
      const reason = 'left by somebody else'
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

  /** A blob that is right and has another size than it is named with: then the name for it is wrong. */
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
   * What is not there may have been removed together with its name since the names were read. A name never outlives its
   * blobs, so what is missing each time anew, with names that are read anew, is missing.
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
