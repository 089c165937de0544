import { resolve } from 'node:path'
import type { ArchiveAddress, ImageArchive } from '../../archive/index.ts'
import type { HasherEngine } from '../../digest/index.ts'
import type { OpenStoreOptions } from '../../disk-store/index.ts'
import { LayerStoreError } from '../../errors/index.ts'
import type { RegistryClient, RegistryClientOptions, RegistryEvent } from '../../registry/index.ts'
import type { Store, StoreEvent } from '../../store/index.ts'
import type { AnyPlan, OnProgress } from '../../transfer/index.ts'
import type { FailureContext } from '../failing/describe-failure.ts'
import type { ExitCode } from '../failing/exit-code.ts'
import { UsageError } from '../failing/usage-error.ts'
import { formatBytes } from '../printing/format-bytes.ts'
import { formatTable } from '../printing/format-table.ts'
import { type Lines, printJson, printLines } from '../printing/print.ts'
import { createProgressDisplay, type ProgressDisplay } from '../printing/progress-display.ts'
import { formatDuration } from '../printing/progress-line.ts'
import type { Terminal } from '../printing/terminal.ts'
import { TransferCount } from '../printing/transfer-count.ts'
import type { RegistryOptions } from '../registries/registry-options.ts'
import { isBucketAddress, parseBucketAddress } from './bucket-address.ts'
import { lazyRegistry } from './lazy-registry.ts'
import { scratchDirectory } from './scratch-directory.ts'
import { storeDirectory } from './store-directory.ts'

/** Shorter pauses are not printed. */
const NOTED_WAIT_MS = 2000

/** Options that every command takes. */
export interface GlobalOptions extends RegistryOptions {
  readonly store?: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly hasher?: string
  readonly jobs?: string
}

/** One run of the command line: opens and closes the resources of a command, and prints its output. */
export class Session implements AsyncDisposable {
  readonly terminal: Terminal
  readonly json: boolean
  readonly quiet: boolean
  /** Number of concurrent operations. */
  readonly jobs: number
  readonly hasher: HasherEngine
  /** The implementation that the user has chosen, if any. */
  readonly chosenHasher: HasherEngine | undefined
  /**
   * Exit code if nothing is thrown: 1 if the command succeeded but its result is negative, as when `fsck` finds faults.
   */
  exit: ExitCode = 0
  /** Exit code if something is thrown. @defaultValue by the error: 1, or 2 for wrong usage */
  failureExit: ((error: unknown) => ExitCode) | undefined
  /** Paths that a failed command created and could not remove. */
  left: readonly string[] = []
  /** Bytes that another process moved for the last transfer, while it waited. */
  bytesFromOthers = 0
  /** Advice for the message if the command fails now. */
  advice: string | undefined
  readonly #options: GlobalOptions
  readonly #open: AsyncDisposable[] = []
  readonly #waits = new Map<string, string>()
  readonly #stores = new Set<string>()
  readonly #completed = new Set<string>()
  #kept: string | undefined
  #transferMs = 0
  #registry: RegistryClient | undefined
  #display: ProgressDisplay | undefined

  constructor(terminal: Terminal, options: GlobalOptions) {
    this.terminal = terminal
    this.json = options.json ?? false
    this.quiet = options.quiet ?? false
    this.#options = options
    this.jobs = jobsOf(options.jobs)
    this.hasher = hasherOf(options.hasher)
    this.chosenHasher = options.hasher === undefined ? undefined : this.hasher
  }

  get signal(): AbortSignal {
    return this.terminal.signal
  }

  async store(options: Pick<OpenStoreOptions, 'create' | 'damaged' | 'durability'> = {}): Promise<Store> {
    const { storeName } = this
    return isBucketAddress(storeName) ? this.#openBucket(storeName, options) : this.#openLayout(storeName, options)
  }

  /** Path of the session's store, or the address of its bucket. */
  get storeName(): string {
    return this.#options.store ?? storeDirectory(this.terminal.env)
  }

  /** True if the store of the session is in a bucket. Other machines may use that bucket. */
  get isStoreShared(): boolean {
    return isBucketAddress(this.storeName)
  }

  /**
   * Directory of this machine for what builds keep besides blobs: the store, or the usual one if the store is in a
   * bucket.
   */
  get localDirectory(): string {
    const { storeName } = this
    if (!isBucketAddress(storeName)) return storeName
    return storeDirectory({ ...this.terminal.env, LAYERSTORE_STORE: undefined })
  }

  /** Directory of the session's store, for containers and their root filesystems. */
  get storeDirectory(): string {
    const { storeName } = this
    if (!isBucketAddress(storeName)) return storeName
    const place = storeName.split('?')[0]
    const next = 'copy the image into a store in a directory, and name that with --store'
    throw new UsageError(`containers need a store in a directory of this machine, but ${place} is a bucket: ${next}`)
  }

  /** Opens the session's store for containers. A bucket is refused before any request. */
  async containerStore(options: Pick<OpenStoreOptions, 'create'> = {}): Promise<Store> {
    return this.#openLayout(this.storeDirectory, options)
  }

  /** Opens the session's store if it exists; creates none. */
  async storeIfAny(): Promise<Store | undefined> {
    try {
      return await this.store({ create: false })
    } catch (error) {
      if (LayerStoreError.is(error) && error.code === 'ERR_STORE_NOT_FOUND') return undefined
      throw error
    }
  }

  /** Resolves to true if the session's store has a name. Never rejects: it only improves messages. */
  async isStored(name: string): Promise<boolean> {
    try {
      const { signal } = this
      return (await (await this.storeIfAny())?.references.get(name, { signal })) !== undefined
    } catch {
      return false
    }
  }

  /** Creates a store in memory for what a command derives from blobs that are not in a store. */
  async memoryStore(): Promise<Store> {
    const { createMemoryStore } = await import('../../store/index.ts')
    return this.#keep(createMemoryStore())
  }

  /**
   * Opens the session's store for a plan, which changes nothing: an absent store is not created, and counts as empty.
   */
  async storeToPlan(): Promise<Store> {
    return (await this.storeIfAny()) ?? this.memoryStore()
  }

  /** Opens an image layout other than the session's store. */
  async layout(directory: string, options: Pick<OpenStoreOptions, 'readOnly' | 'damaged'>): Promise<Store> {
    return this.#openLayout(directory, options)
  }

  async #openLayout(directory: string, options: OpenStoreOptions): Promise<Store> {
    const { openStore } = await import('../../disk-store/index.ts')
    if (directory === '') throw new UsageError('the name of the store or layout is empty')
    this.#stores.add(resolve(directory))
    const onEvent = (event: StoreEvent) => this.#tellOfWait(event)
    return this.#keep(await openStore(directory, { ...options, hasher: this.hasher, onEvent }))
  }

  /** PERF: `object-store` is loaded for a store in a bucket only, as it would slow the start of every command. */
  async #openBucket(
    address: string,
    { create, damaged }: Pick<OpenStoreOptions, 'create' | 'damaged'>,
  ): Promise<Store> {
    const { cachedStore, openObjectStore } = await import('../../object-store/index.ts')
    const { signal, hasher } = this
    const onEvent = (event: StoreEvent) => this.#tellOfWait(event)
    const { cache, cacheBytes, ...place } = parseBucketAddress(address)
    const environment = this.terminal.env
    const shared = this.#keep(
      await openObjectStore({ ...place, environment, create, damaged, hasher, signal, onEvent }),
    )
    if (cache === undefined) return shared
    // Blobs of a cache need no sync: a damaged one is found by its digest, and fetched again.
    const local = await this.#openLayout(cache, { durability: 'none' })
    return this.#keep(cachedStore(local, shared, { maxBytes: cacheBytes }))
  }

  /** Opens an archive for reading. */
  async archive({ path, format }: ArchiveAddress): Promise<ImageArchive> {
    const { openArchive } = await import('../../archive/index.ts')
    return this.#keep(await openArchive(path, { format, signal: this.signal }))
  }

  /** Opens a temporary store beside a file; it is removed with the session. */
  async scratchStore(file: string): Promise<Store> {
    const { openStore } = await import('../../disk-store/index.ts')
    const directory = this.#keep(await scratchDirectory(file))
    this.#stores.add(resolve(directory.path))
    return this.#keep(await openStore(directory.path, { durability: 'none', hasher: this.hasher }))
  }

  /**
   * The registry client of the session. Both ends of a copy share it, and so its limits.
   *
   * @param options - Credentials to use in place of those that are kept.
   */
  async registry(options: Pick<RegistryClientOptions, 'credentials'> = {}): Promise<RegistryClient> {
    const { createRegistryClient } = await import('../../registry/index.ts')
    const { clientSettings } = await import('../registries/client-settings.ts')
    this.#registry ??= this.#keep(
      createRegistryClient({
        ...clientSettings(this.#options, this.terminal.env),
        ...options,
        environment: this.terminal.env,
        concurrency: this.jobs,
        onWarning: ({ registry, message }) => this.note(`${registry} warns: ${message}`),
        onEvent: event => this.#tell(event),
      }),
    )
    return this.#registry
  }

  /**
   * The same client, made with its first request. Options that say how to reach a registry are checked at once, also if
   * none is asked.
   */
  async registryIfAsked(): Promise<RegistryClient> {
    const { plainHttp, tlsVerify, ca, cert, key, mirror, proxy } = this.#options
    const isSet = [plainHttp, tlsVerify, ca, cert, key, mirror, proxy].some(option => option !== undefined)
    return isSet ? this.registry() : lazyRegistry(() => this.registry())
  }

  #tell(event: RegistryEvent): void {
    if (event.type === 'mirror-failed') this.note(`${event.registry}: mirror ${event.mirror} failed (${event.reason})`)
    if (event.type !== 'waiting' || event.delayMs < NOTED_WAIT_MS) return
    this.note(`${event.registry}: waiting ${Math.round(event.delayMs / 1000)} s (${event.reason})`)
  }

  /**
   * SAFETY: a command that waits for a lock without a message looks hung, and the user would kill it. This message is
   * therefore printed with `--quiet` too.
   */
  #tellOfWait(event: StoreEvent): void {
    if (event.type === 'waited') return void this.#waits.delete(event.lock)
    const message = waitMessage(event)
    this.#waits.set(event.lock, message)
    if (this.quiet || this.json) printLines(this.terminal.stderr, message)
    else this.note(message)
  }

  /** State of the command for the message about its failure. */
  get failureContext(): Omit<FailureContext, 'signal'> {
    const waitingFor = [...this.#waits.values()].at(-1)
    const { advice, failureExit } = this
    return { waitingFor, kept: this.#kept, advice, failureExit, stores: [...this.#stores] }
  }

  /**
   * Runs a transfer and shows its progress.
   *
   * @param options.keeps - Whether the target keeps what has arrived if the command is stopped.
   * @param options.plan - Its plan; a terminal shows what is there already.
   */
  async transfer<T>(
    act: (onProgress: OnProgress) => Promise<T>,
    { keeps = true, plan }: { readonly keeps?: boolean; readonly plan?: AnyPlan } = {},
  ): Promise<T> {
    const display = createProgressDisplay(this.terminal, this.quiet || this.json)
    const count = new TransferCount()
    const begun = performance.now()
    this.#display = display
    if (plan) display.showPresent(plan)
    try {
      return await act(event => {
        count.add(event)
        display.onProgress(event)
      })
    } catch (error) {
      if (keeps && count.bytes > 0) {
        this.#kept = `${formatBytes(count.bytes)} are kept, run the same command again to continue`
      }
      throw error
    } finally {
      this.bytesFromOthers = count.fromOthers
      this.#transferMs = performance.now() - begun
      this.#display = undefined
      display.close()
    }
  }

  /** Describes how long the last transfer took for so many bytes: ` in 12s, 8.1MB/s`; nothing under a second. */
  pace(bytes: number): string {
    const seconds = this.#transferMs / 1000
    if (seconds < 1) return ''
    return ` in ${formatDuration(seconds)}${bytes > 0 ? `, ${formatBytes(bytes / seconds)}/s` : ''}`
  }

  /** Prints a result: `value` as one JSON document with `--json`, else the lines. */
  result(lines: Lines, value: unknown): void {
    if (this.json) printJson(this.terminal.stdout, value)
    else printLines(this.terminal.stdout, lines)
  }

  /** Formats a table. With `--quiet` an empty table prints nothing, not even its header. */
  table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
    return this.quiet && rows.length === 0 ? [] : formatTable(header, rows)
  }

  /** Prints bytes unchanged. */
  raw(bytes: Uint8Array): void {
    this.terminal.stdout.write(bytes)
  }

  /** Prints one line to stderr that is not part of the result. */
  note(text: string): void {
    if (this.quiet || this.json) return
    if (this.#display) this.#display.note(text)
    else printLines(this.terminal.stderr, text)
  }

  /** Says once how a reference is completed, as docker does it: `nginx` is docker.io/library/nginx:latest. */
  async noteDefaults(text: string): Promise<void> {
    const { formatReference, parseReference } = await import('../../oci/index.ts')
    const whole = formatReference(parseReference(text))
    if (whole !== text && !this.#completed.has(whole)) this.note(`${text} is ${whole}`)
    this.#completed.add(whole)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const resource of this.#open.reverse()) await resource[Symbol.asyncDispose]()
  }

  #keep<T extends AsyncDisposable>(resource: T): T {
    this.#open.push(resource)
    return resource
  }
}

/** Describes a wait. The lock of an ingest means that another process is fetching the same blob. */
function waitMessage({ lock, holder, advice, message }: Extract<StoreEvent, { type: 'waiting' }>): string {
  if (!/^(\.layerstore\/)?ingests\//.test(lock)) return message
  return `waiting for a blob that ${holder} is fetching into the same store: ${advice}`
}

function jobsOf(text = '4'): number {
  const jobs = Number(text)
  if (/^\d+$/.test(text) && jobs >= 1 && jobs <= 64) return jobs
  throw new UsageError(`--jobs takes a whole number from 1 to 64; got ${JSON.stringify(text)}`)
}

function hasherOf(text = 'wasm'): HasherEngine {
  if (text === 'wasm' || text === 'native') return text
  throw new UsageError(`--hasher takes wasm or native; got ${JSON.stringify(text)}`)
}
