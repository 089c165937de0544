import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { LimitError, StoreError } from '../errors/index.ts'
import { isErrno } from '../internal/errno.ts'
import { createOnce, ensureDirectory, exists } from '../internal/link-once.ts'
import { makeDirectories } from '../internal/make-directories.ts'
import { type FoundRecord, readRecord } from '../internal/record-file.ts'
import { parseStrictJson } from '../internal/strict-json.ts'
import type { DirectorySync } from './directory-sync.ts'
import { onDisk } from './io-error.ts'
import type { Places } from './places/places.ts'
import { keepReserve } from './reserve.ts'

/** Version of the format below `.layerstore`. */
const FORMAT_VERSION = 1
/** SAFETY: limits the bytes read into memory; another program may write a larger file. 10,000 names take 2.5 MiB. */
const INDEX_BYTES = 256 * 1024 * 1024
const SMALL_BYTES = 64 * 1024
/** Content of `oci-layout`. */
export const LAYOUT_FILE = Buffer.from('{"imageLayoutVersion":"1.0.0"}')

/** Recognises a directory: a store, nothing yet (or a store whose creation was interrupted), or something else. */
export async function recognise(places: Places): Promise<'store' | 'nothing' | 'other'> {
  const names = await onDisk({ act: 'list', path: '.' }, () => namesIn(places.root))
  if (names === undefined) return 'nothing'
  if (names.includes('oci-layout')) return 'store'
  // The format file is written first and `oci-layout` last, so the creation of this store was interrupted.
  if (names.every(name => name === '.layerstore')) return 'nothing'
  return (await readOwnFormat(places)) === undefined ? 'other' : 'nothing'
}

async function namesIn(path: string): Promise<string[] | undefined> {
  try {
    return await readdir(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/**
 * Refuses a layout that this version cannot handle.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md | image-spec: image layout}
 */
export async function checkLayout(places: Places, options: { damaged: boolean }): Promise<void> {
  await readOwnFormat(places)
  if (!options.damaged) await checkLayoutFile(places)
}

/** Refuses an invalid `oci-layout` or one of another version. */
export async function checkLayoutFile(places: Places): Promise<void> {
  const found = await findRecord(places.layout, 'oci-layout', SMALL_BYTES)
  const layout = parseJson(bytesOf(found, 'oci-layout', SMALL_BYTES), 'oci-layout')
  const version = (layout as { imageLayoutVersion?: unknown } | null)?.imageLayoutVersion
  if (typeof version !== 'string' || !/^1\.\d+\.\d+$/.test(version)) {
    throw new StoreError('ERR_STORE_FORMAT', 'oci-layout has no imageLayoutVersion 1.x')
  }
}

/** The version of `.layerstore`, if it exists; throws `ERR_STORE_VERSION` if it is newer than this library. */
async function readOwnFormat(places: Places): Promise<number | undefined> {
  const name = '.layerstore/format.json'
  const found = await findRecord(places.format, name, SMALL_BYTES)
  if (found.kind === 'absent') return undefined
  const format = parseJson(bytesOf(found, name, SMALL_BYTES), name)
  const version = (format as { version?: unknown } | null)?.version
  if (!Number.isSafeInteger(version) || (version as number) < 1) {
    throw new StoreError('ERR_STORE_FORMAT', '.layerstore/format.json has no version')
  }
  if ((version as number) > FORMAT_VERSION) {
    const message = `the store is of version ${version}, this library knows ${FORMAT_VERSION}: use a newer one`
    throw new StoreError('ERR_STORE_VERSION', message)
  }
  return version as number
}

/** Creates `.layerstore` if it does not exist. Any number of processes may do so at once. */
export async function createOwnPart(places: Places, durable: boolean, syncs: DirectorySync): Promise<void> {
  await onDisk({ act: 'create', path: '.layerstore', writes: true }, async () => {
    await ensureDirectory(places.own)
    // Checked first: on a full disk nothing can be created, not even to find that the file exists.
    const isNew = !(await exists(places.format))
    if (isNew) await createOnce(places.format, Buffer.from(`{"version":${FORMAT_VERSION}}`), durable)
    for (const path of [places.ingests, places.locks, places.blobs]) await ensureDirectory(path)
    if (isNew) await keepReserve(places)
    await syncs.sync(places.own)
    await syncs.sync(places.root)
  })
  await readOwnFormat(places)
}

/** Creates an empty layout. `oci-layout` comes last: other tools recognise a layout by it. */
export async function createLayout(places: Places, durable: boolean, syncs: DirectorySync): Promise<void> {
  await onDisk({ act: 'create', path: '.', writes: true }, async () => {
    const first = makeDirectories(places.root)
    if (first === undefined) return
    for (let made = places.root; made.length >= first.length; made = dirname(made)) await syncs.sync(dirname(made))
  })
  await createOwnPart(places, durable, syncs)
  await onDisk({ act: 'create', path: 'oci-layout', writes: true }, async () => {
    await createOnce(places.index, Buffer.from('{"schemaVersion":2,"manifests":[]}'), durable)
    await syncs.sync(places.root)
    await createOnce(places.layout, LAYOUT_FILE, durable)
    await syncs.sync(places.root)
  })
}

/** Reads the bytes of `index.json`. */
export async function readIndexBytes(places: Places): Promise<Buffer> {
  const bounds = { limit: INDEX_BYTES, begins: /^\s*\{/ }
  const found = await onDisk({ act: 'read', path: 'index.json' }, () => readRecord(places.index, bounds))
  return bytesOf(found, 'index.json', INDEX_BYTES)
}

function parseJson(bytes: Uint8Array, name: string): unknown {
  try {
    return parseStrictJson(bytes)
  } catch (cause) {
    throw new StoreError('ERR_STORE_FORMAT', `${name} is not valid JSON: ${(cause as Error).message}`, { cause })
  }
}

function findRecord(path: string, name: string, limit: number): Promise<FoundRecord> {
  return onDisk({ act: 'read', path: name }, () => readRecord(path, { limit }))
}

function bytesOf(found: FoundRecord, name: string, limit: number): Buffer {
  if (found.kind === 'file') return found.bytes
  if (found.kind === 'foreign' && found.stats.size > limit) {
    throw new LimitError('bytes', { limit, actual: found.stats.size, where: name })
  }
  if (found.kind === 'absent') throw new StoreError('ERR_STORE_FORMAT', `${name} is missing`)
  const expected = found.kind === 'odd' ? 'a regular file' : 'a JSON object'
  throw new StoreError('ERR_STORE_FORMAT', `${name} is ${found.actual}, not ${expected}`)
}
