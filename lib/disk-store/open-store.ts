import { resolve } from 'node:path'
import type { HasherEngine } from '../digest/index.ts'
import { StoreError } from '../errors/index.ts'
import { assertOneOf, assertOptions } from '../internal/assert-kind.ts'
import { invalidArgument } from '../internal/invalid-argument.ts'
import { pathOf } from '../internal/path-of.ts'
import type { CorruptionPolicy, Store, StoreEvent, VerifyPolicy } from '../store/index.ts'
import type { DiskSettings } from './disk-context.ts'

/** Options of {@link openStore}. */
export interface OpenStoreOptions {
  /** Hash engine. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
  /** Verification policy for reads of whole blobs. @defaultValue `'always'` */
  readonly verify?: VerifyPolicy | undefined
  /** Handling of a corrupt blob by a read, besides rejecting. @defaultValue `'report'` */
  readonly onCorrupt?: CorruptionPolicy | undefined
  /**
   * Guarantee after a power cut. If only the process dies, no acknowledged write is lost with any setting.
   *
   * - `full`: no acknowledged write is lost.
   * - `batch`: blobs stored after the last name was set may be lost. They are synced together before the next name is
   *   set, and by `close`; so an acknowledged name has all of its blobs. Blobs torn by the power cut are moved to
   *   quarantine when the store is next opened for writing. Faster if many small blobs are stored per name.
   * - `none`: writes of the last minute may be lost, including names, and blobs may be short or empty under their
   *   digests; for caches and tests.
   *
   * @defaultValue `'full'`
   */
  readonly durability?: 'full' | 'batch' | 'none' | undefined
  /** Write nothing at all, not even a lock. @defaultValue `false` */
  readonly readOnly?: boolean | undefined
  /**
   * Create the store if the directory is empty or absent. Set it to `false` for acts that only read: a mistyped path is
   * then an error, `ERR_STORE_NOT_FOUND`, and not a new store. @defaultValue `true`, unless `readOnly`
   */
  readonly create?: boolean | undefined
  /**
   * Handling of an invalid `oci-layout` or `index.json`: refuse, or open the store so that {@link checkStore} and
   * {@link repairStore} can work. Names cannot be read or set until it is repaired. @defaultValue `'refuse'`
   */
  readonly damaged?: 'refuse' | 'open' | undefined
  /**
   * Called when an operation has waited for two seconds for another process, with that process and advice, and when the
   * operation continues. An operation waits until its `signal` fires. Must not throw.
   */
  readonly onEvent?: ((event: StoreEvent) => void) | undefined
}

/**
 * Opens the store in a directory: any OCI image layout, including layouts of other tools. Any number of processes may
 * have it open at once. A layout of another tool is not changed before the first write.
 *
 * @example
 * ```ts
 * await using store = await openStore('./images', { durability: 'batch' })
 * const { digest } = await store.put(createReadStream('app.tar'))
 * ```
 *
 * @param directory - A path, or a `file:` URL.
 *
 * @throws {@link StoreError} `ERR_STORE_FORMAT` if the directory contains something else, a file of the layout is
 * invalid, or a directory of the store is a symbolic link (the path of the store itself may be one),
 * `ERR_STORE_NOT_FOUND` if there is none and `create` or `readOnly` forbid to create it, `ERR_STORE_VERSION` if a newer
 * version of this library created it, `ERR_STORE_READ_ONLY` if it cannot be created, `ERR_STORE_IO`.
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for an argument of a wrong kind, such as an `https:` URL.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md | image-spec: image layout}
 */
export async function openStore(directory: string | URL, options: OpenStoreOptions = {}): Promise<Store> {
  const settings = settingsOf(options)
  return inDirectory(resolve(pathOf(directory, 'directory')), async path => {
    // Loaded with the first store on a disk: the rest of the library imports nothing from node:fs.
    const { openPath } = await import('./open-path.ts')
    return openPath(path, settings, options)
  })
}

/** Errors of the system name a path inside the store; here the caller needs to know which store. */
async function inDirectory<T>(path: string, work: (path: string) => Promise<T>): Promise<T> {
  try {
    return await work(path)
  } catch (error) {
    if (!(error instanceof StoreError) || error.errno === undefined) throw error
    const { code, message, errno, cause } = error
    throw new StoreError(code, `cannot open the store ${path}: ${message}`, { cause, errno })
  }
}

function settingsOf(options: OpenStoreOptions): DiskSettings {
  assertOptions(options)
  const { hasher = 'wasm', verify = 'always', onCorrupt = 'report', durability = 'full', readOnly = false } = options
  assertOneOf('hasher', hasher, ['wasm', 'native'])
  assertOneOf('verify', verify, ['always', 'once-per-process', 'never'])
  assertOneOf('onCorrupt', onCorrupt, ['report', 'quarantine'])
  assertOneOf('durability', durability, ['full', 'batch', 'none'])
  assertOneOf('damaged', options.damaged ?? 'refuse', ['refuse', 'open'])
  assertFlag('readOnly', readOnly)
  assertFlag('create', options.create ?? true)
  const [durable, batch] = [durability !== 'none', durability === 'batch']
  return { hasher, verify, onCorrupt, durable, batch, readOnly, onEvent: options.onEvent }
}

function assertFlag(name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw invalidArgument(name, 'true or false', value)
}
