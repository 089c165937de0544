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

/** Shorter pauses are not worth a line. */
const NOTED_WAIT_MS = 2000

/** Options that every command takes. */
export interface GlobalOptions {
  readonly store?: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly hasher?: string
  readonly jobs?: string
}

/** One run of the command line: opens what a command asks for, closes it again, prints. */
export class Session implements AsyncDisposable {
  readonly terminal: Terminal
  readonly json: boolean
  readonly quiet: boolean
  /** How the command ends if nothing is thrown: 1 if it found what it was to find, and that is bad news. */
  exit: 0 | 1 = 0
  /** Paths that the command has made and could not take back when it failed. */
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

  /** How much may go on at once. */
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

  /** Another image layout than the session's store. */
  async layout(directory: string, options: Pick<OpenStoreOptions, 'readOnly' | 'damaged'>): Promise<Store> {
    return this.#openLayout(directory, options)
  }

  async #openLayout(directory: string, options: OpenStoreOptions): Promise<Store> {
    const { openStore } = await import('../disk-store/index.ts')
    const onEvent = (event: StoreEvent) => this.#tellOfWait(event)
    return this.#keep(await openStore(directory, { ...options, hasher: this.hasher, onEvent }))
  }

  /** An archive, to be read. */
  async archive({ path, format }: ArchiveAddress): Promise<ImageArchive> {
    const { openArchive } = await import('../archive/index.ts')
    return this.#keep(await openArchive(path, { format, signal: this.signal }))
  }

  /** A store beside a file, for as long as the session lasts. */
  async scratchStore(file: string): Promise<Store> {
    const { openStore } = await import('../disk-store/index.ts')
    const directory = this.#keep(await scratchDirectory(file))
    return this.#keep(await openStore(directory.path, { durability: 'none', hasher: this.hasher }))
  }

  /** The client for all registries; one for the whole session, so that its bounds hold for both ends of a copy. */
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

  /** SAFETY: a command that hangs in silence is killed, or waited for in vain; so this is told also with `--quiet`. */
  #tellOfWait(event: StoreEvent): void {
    if (event.type === 'waited') return void this.#waits.delete(event.lock)
    this.#waits.set(event.lock, event.message)
    if (this.quiet || this.json) printLines(this.terminal.stderr, event.message)
    else this.note(event.message)
  }

  /** What the command is waiting for, if it has been told. */
  get waitingFor(): string | undefined {
    return [...this.#waits.values()].at(-1)
  }

  /** Runs a transfer and shows how it goes. */
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

  /** Prints a result: the value as one JSON document with `--json`, else the lines. */
  result(lines: Lines, value: unknown): void {
    if (this.json) printJson(this.terminal.stdout, value)
    else printLines(this.terminal.stdout, lines)
  }

  /** A table as lines. With `--quiet` nothing is printed for nothing, not even a head. */
  table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
    return this.quiet && rows.length === 0 ? [] : formatTable(header, rows)
  }

  /** Prints bytes as they are, and nothing else. */
  raw(bytes: Uint8Array): void {
    this.terminal.stdout.write(bytes)
  }

  /** Tells a person something that is not the result, in one line. */
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
