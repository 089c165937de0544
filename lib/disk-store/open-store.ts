import { resolve } from 'node:path'
import type { HasherEngine } from '../digest/index.ts'
import { FormatError, StoreError } from '../errors/index.ts'
import type { CorruptionPolicy, Store, StoreEvent, VerifyPolicy } from '../store/index.ts'
import { assertOneFileSystem } from './assert-one-file-system.ts'
import { DirectorySync } from './directory-sync.ts'
import { DiskContext, type DiskSettings } from './disk-context.ts'
import { DiskStore } from './disk-store.ts'
import { checkLayout, createLayout, recognise } from './layout.ts'
import { Places } from './places/places.ts'

/** How to open a store. */
export interface OpenStoreOptions {
  /** What computes digests. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
  /** When reads of whole blobs are checked. @defaultValue `'always'` */
  readonly verify?: VerifyPolicy | undefined
  /** What a read does about a corrupt blob, beside reporting it. @defaultValue `'report'` */
  readonly onCorrupt?: CorruptionPolicy | undefined
  /**
   * What a power cut may take; the death of the process takes nothing that was acknowledged, with any of them.
   *
   * - `full`: nothing that was acknowledged.
   * - `batch`: blobs that were stored after the last name was set. They are synced together before the next name is set, and
   *   by `close`; so a name that was acknowledged is there with all of its blobs. Blobs that the power cut tore are put into
   *   quarantine when the store is opened for writing again. Faster where many small blobs are stored for one name.
   * - `none`: anything of the last minute, names too, and blobs may be left short or empty under their names; for caches and
   *   tests.
   *
   * @defaultValue `'full'`
   */
  readonly durability?: 'full' | 'batch' | 'none' | undefined
  /** Write nothing at all, not even a lock. @defaultValue `false` */
  readonly readOnly?: boolean | undefined
  /** Make the directory a store if it is empty or absent. @defaultValue `true`, unless `readOnly` */
  readonly create?: boolean | undefined
  /**
   * What to do if `oci-layout` or `index.json` is broken: refuse, or open all the same so that {@link checkStore} and
   * {@link repairStore} can work. Names cannot be read or set until it is repaired. @defaultValue `'refuse'`
   */
  readonly damaged?: 'refuse' | 'open' | undefined
  /**
   * Called when an act has waited for two seconds for another process, with what that process is and what to do about it, and
   * when that act goes on. An act waits until its `signal` fires. Must not throw.
   */
  readonly onEvent?: ((event: StoreEvent) => void) | undefined
}

/**
 * Opens the store in a directory: any OCI image layout, also one that another tool made. Any number of processes may
 * have it open at once. A layout of another tool is not touched before the first write.
 *
 * @throws {@link StoreError} `ERR_STORE_FORMAT` if the directory holds something else, a file of the layout is broken, or
 * a directory of the store is a symbolic link (the store itself may be reached through one),
 * `ERR_STORE_VERSION` if a newer version of this library made it, `ERR_STORE_READ_ONLY` if it cannot be created,
 * `ERR_STORE_IO`.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md | image-spec: image layout}
 */
export async function openStore(directory: string, options: OpenStoreOptions = {}): Promise<Store> {
  const settings = settingsOf(options)
  const places = new Places(resolve(directory))
  places.proveAll()
  const found = await recognise(places)
  if (found === 'other') {
    throw new StoreError('ERR_STORE_FORMAT', `${directory} is not an image layout: it has no oci-layout file`)
  }
  if (found === 'nothing') {
    const create = (options.create ?? true) && !settings.readOnly
    if (!create) throw new StoreError('ERR_STORE_FORMAT', `there is no store in ${directory}`)
    await createLayout(places, settings.durable, new DirectorySync(settings.durable))
  }
  const damaged = options.damaged === 'open'
  await checkLayout(places, { damaged })
  if (!settings.readOnly) await assertOneFileSystem(places)
  const store = new DiskStore(new DiskContext(places, settings))
  await store.start({ damaged })
  return store
}

function settingsOf(options: OpenStoreOptions): DiskSettings {
  const { hasher = 'wasm', verify = 'always', onCorrupt = 'report', durability = 'full', readOnly = false } = options
  oneOf('hasher', hasher, ['wasm', 'native'])
  oneOf('verify', verify, ['always', 'once-per-process', 'never'])
  oneOf('onCorrupt', onCorrupt, ['report', 'quarantine'])
  oneOf('durability', durability, ['full', 'batch', 'none'])
  oneOf('damaged', options.damaged ?? 'refuse', ['refuse', 'open'])
  const [durable, batch] = [durability !== 'none', durability === 'batch']
  return { hasher, verify, onCorrupt, durable, batch, readOnly, onEvent: options.onEvent }
}

function oneOf(name: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return
  throw new FormatError('ERR_INVALID_ARGUMENT', `${name} must be one of ${allowed.join(', ')}, is ${value}`)
}
