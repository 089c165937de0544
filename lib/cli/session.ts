import type { ArchiveAddress, ImageArchive } from '../archive/index.ts'
import type { HasherEngine } from '../digest/index.ts'
import type { OpenStoreOptions } from '../disk-store/index.ts'
import type { RegistryClient, RegistryEvent } from '../registry/index.ts'
import type { Store, StoreEvent } from '../store/index.ts'
import type { OnProgress } from '../transfer/index.ts'
import { formatTable } from './printing/format-table.ts'
import { type Lines, printJson, printLines } from './printing/print.ts'
import { createProgressDisplay, type ProgressDisplay } from './printing/progress-display.ts'
import { scratchDirectory } from './scratch-directory.ts'
import { storeDirectory } from './store-directory.ts'
import type { Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'

/** Shorter pauses are not printed. */
const NOTED_WAIT_MS = 2000

/** Options that every command takes. */
export interface GlobalOptions {
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
  /**
   * Exit code if nothing is thrown: 1 if the command succeeded but its result is negative, as when `fsck` finds faults.
   */
  exit: 0 | 1 = 0
  /** Paths that a failed command created and could not remove. */
  left: readonly string[] = []
  readonly #options: GlobalOptions
  readonly #open: AsyncDisposable[] = []
  readonly #waits = new Map<string, string>()
  #registry: RegistryClient | undefined
  #display: ProgressDisplay | undefined

  constructor(terminal: Terminal, options: GlobalOptions) {
    this.terminal = terminal
    this.json = options.json ?? false
    this.quiet = options.quiet ?? false
    this.#options = options
  }

  get signal(): AbortSignal {
    return this.terminal.signal
  }

  /** Number of concurrent operations. */
  get jobs(): number {
    const jobs = Number(this.#options.jobs ?? 4)
    if (!Number.isInteger(jobs) || jobs < 1 || jobs > 64) throw new UsageError('--jobs takes a number from 1 to 64')
    return jobs
  }

  get hasher(): HasherEngine {
    const hasher = this.#options.hasher ?? 'wasm'
    if (hasher !== 'wasm' && hasher !== 'native') throw new UsageError('--hasher takes wasm or native')
    return hasher
  }

  async store(options: Pick<OpenStoreOptions, 'create' | 'damaged'> = {}): Promise<Store> {
    return this.#openLayout(this.#options.store ?? storeDirectory(this.terminal.env), options)
  }

  /** Opens an image layout other than the session's store. */
  async layout(directory: string, options: Pick<OpenStoreOptions, 'readOnly' | 'damaged'>): Promise<Store> {
    return this.#openLayout(directory, options)
  }

  async #openLayout(directory: string, options: OpenStoreOptions): Promise<Store> {
    const { openStore } = await import('../disk-store/index.ts')
    const onEvent = (event: StoreEvent) => this.#tellOfWait(event)
    return this.#keep(await openStore(directory, { ...options, hasher: this.hasher, onEvent }))
  }

  /** Opens an archive for reading. */
  async archive({ path, format }: ArchiveAddress): Promise<ImageArchive> {
    const { openArchive } = await import('../archive/index.ts')
    return this.#keep(await openArchive(path, { format, signal: this.signal }))
  }

  /** Opens a temporary store beside a file; it is removed with the session. */
  async scratchStore(file: string): Promise<Store> {
    const { openStore } = await import('../disk-store/index.ts')
    const directory = this.#keep(await scratchDirectory(file))
    return this.#keep(await openStore(directory.path, { durability: 'none', hasher: this.hasher }))
  }

  /** The registry client of the session. Both ends of a copy share it, and so its limits. */
  async registry(): Promise<RegistryClient> {
    const { createRegistryClient } = await import('../registry/index.ts')
    this.#registry ??= this.#keep(
      createRegistryClient({
        concurrency: this.jobs,
        onWarning: ({ registry, message }) => this.note(`${registry} warns: ${message}`),
        onEvent: event => this.#tell(event),
      }),
    )
    return this.#registry
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
    this.#waits.set(event.lock, event.message)
    if (this.quiet || this.json) printLines(this.terminal.stderr, event.message)
    else this.note(event.message)
  }

  /** Description of the current wait, if it has been printed. */
  get waitingFor(): string | undefined {
    return [...this.#waits.values()].at(-1)
  }

  /** Runs a transfer and shows its progress. */
  async transfer<T>(act: (onProgress: OnProgress) => Promise<T>): Promise<T> {
    const display = createProgressDisplay(this.terminal, this.quiet || this.json)
    this.#display = display
    try {
      return await act(event => display.onProgress(event))
    } finally {
      this.#display = undefined
      display.close()
    }
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

  async [Symbol.asyncDispose](): Promise<void> {
    for (const resource of this.#open.reverse()) await resource[Symbol.asyncDispose]()
  }

  #keep<T extends AsyncDisposable>(resource: T): T {
    this.#open.push(resource)
    return resource
  }
}
