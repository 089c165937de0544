import { constants } from 'node:fs'
import { lstat, mkdir, open, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Digest, splitDigest } from '../../digest/index.ts'
import { LimitError, StoreError } from '../../errors/index.ts'
import { isErrno } from '../../internal/errno.ts'
import { parseStrictJson } from '../../internal/strict-json.ts'
import { withDescriptor } from '../../internal/with-descriptor.ts'
import { keepBallast } from './ballast.ts'
import type { DirectorySync } from './directory-sync.ts'
import { onDisk } from './io-error.ts'
import { createOnce, ensureDirectory, exists } from './link-once.ts'

/** Version of everything below `.layerstore`. */
const FORMAT_VERSION = 1
/** SAFETY: bounds what is read into memory; 10,000 names take 2.5 MiB. */
const INDEX_BYTES = 256 * 1024 * 1024
const SMALL_BYTES = 64 * 1024
/** What `oci-layout` says. */
export const LAYOUT_FILE = Buffer.from('{"imageLayoutVersion":"1.0.0"}')

/** Where things are in a store. */
export interface Places {
  readonly root: string
  readonly layout: string
  readonly index: string
  readonly blobs: string
  readonly own: string
  readonly format: string
  readonly ingests: string
  readonly locks: string
  readonly indexLock: string
  /** Damaged things are kept here. */
  readonly quarantine: string
  readonly leases: string
  readonly cache: string
  /** Blobs that a collection is removing. */
  readonly trash: string
  /** Markers of stores that do not sync each blob; see `batch/`. */
  readonly unsynced: string
  /** Space set aside; see `ballast.ts`. */
  readonly ballast: string
  /** Held by the collection that runs. */
  readonly collectLock: string
  /** Its time tells whether blobs were removed in between; see `removals.ts`. */
  readonly removals: string
}

/** The places below a directory. */
export function placesIn(root: string): Places {
  const own = join(root, '.layerstore')
  const locks = join(own, 'locks')
  return {
    root,
    layout: join(root, 'oci-layout'),
    index: join(root, 'index.json'),
    blobs: join(root, 'blobs'),
    own,
    format: join(own, 'format.json'),
    ingests: join(own, 'ingests'),
    locks,
    indexLock: join(locks, 'index'),
    quarantine: join(own, 'quarantine'),
    leases: join(own, 'leases'),
    cache: join(own, 'cache'),
    trash: join(own, 'trash'),
    unsynced: join(own, 'unsynced'),
    ballast: join(own, 'ballast'),
    collectLock: join(locks, 'collect'),
    removals: join(own, 'removals'),
  }
}

/** The path of a blob, relative to the store. */
export function blobName(digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest)
  return `blobs/${algorithm}/${hex}`
}

/** What is under the directory: a store, nothing yet (or a store whose creation was cut off), or something else. */
export async function recognise(places: Places): Promise<'store' | 'nothing' | 'other'> {
  const names = await onDisk({ act: 'list', path: '.' }, () => namesIn(places.root))
  if (names === undefined) return 'nothing'
  if (names.includes('oci-layout')) return 'store'
  // The format is written first and `oci-layout` last, so this is a store whose creation did not come to its end.
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
 * Refuses what this version must not touch.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md | image-spec: image layout}
 */
export async function checkLayout(places: Places, options: { damaged: boolean }): Promise<void> {
  await readOwnFormat(places)
  if (!options.damaged) await checkLayoutFile(places)
  // SAFETY: a layout that somebody unpacked for us must not lead out of its directory.
  for (const [path, name] of [
    [places.blobs, 'blobs'],
    [places.own, '.layerstore'],
  ] as const) {
    await assertDirectory(path, name)
  }
}

/** Refuses an `oci-layout` of another version, or one that says nothing. */
export async function checkLayoutFile(places: Places): Promise<void> {
  const layout = await readJson(places.layout, 'oci-layout', SMALL_BYTES)
  const version = (layout as { imageLayoutVersion?: unknown } | null)?.imageLayoutVersion
  if (typeof version !== 'string' || !/^1\.\d+\.\d+$/.test(version)) {
    throw new StoreError('ERR_STORE_FORMAT', 'oci-layout does not say imageLayoutVersion 1.x')
  }
}

/** Refuses anything but a directory; nothing is fine. */
export async function assertDirectory(path: string, name: string): Promise<void> {
  await onDisk({ act: 'look at', path: name }, async () => {
    try {
      if ((await lstat(path)).isDirectory()) return
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return
      throw error
    }
    throw new StoreError('ERR_STORE_FORMAT', `${name} is not a directory`)
  })
}

/** The version of our own part, if there is one; `ERR_STORE_VERSION` if it is newer than this library. */
async function readOwnFormat(places: Places): Promise<number | undefined> {
  const format = await readJson(places.format, '.layerstore/format.json', SMALL_BYTES, true)
  if (format === undefined) return undefined
  const version = (format as { version?: unknown } | null)?.version
  if (!Number.isSafeInteger(version) || (version as number) < 1) {
    throw new StoreError('ERR_STORE_FORMAT', '.layerstore/format.json does not say a version')
  }
  if ((version as number) > FORMAT_VERSION) {
    const message = `the store is of version ${version}, this library knows ${FORMAT_VERSION}: use a newer one`
    throw new StoreError('ERR_STORE_VERSION', message)
  }
  return version as number
}

/** Makes our own part, where it is not there yet. Any number of processes may do so at once. */
export async function createOwnPart(places: Places, durable: boolean, syncs: DirectorySync): Promise<void> {
  await onDisk({ act: 'create', path: '.layerstore', writes: true }, async () => {
    await ensureDirectory(places.own)
    // Looked for first: on a full disk nothing can be created, not even to find that it is there.
    const isNew = !(await exists(places.format))
    if (isNew) await createOnce(places.format, Buffer.from(`{"version":${FORMAT_VERSION}}`), durable)
    for (const path of [places.ingests, places.locks, places.blobs]) await ensureDirectory(path)
    if (isNew) await keepBallast(places.ballast)
    await syncs.sync(places.own)
    await syncs.sync(places.root)
  })
  await readOwnFormat(places)
}

/** Makes an empty layout. `oci-layout` comes last: only with it other tools take the directory for a layout. */
export async function createLayout(places: Places, durable: boolean, syncs: DirectorySync): Promise<void> {
  await onDisk({ act: 'create', path: '.', writes: true }, async () => {
    const first = await mkdir(places.root, { recursive: true })
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

/** The bytes of `index.json`. */
export function readIndexBytes(places: Places): Promise<Buffer> {
  return readBounded(places.index, 'index.json', INDEX_BYTES)
}

async function readJson(path: string, name: string, limit: number, mayMiss = false): Promise<unknown> {
  try {
    return parseStrictJson(await readBounded(path, name, limit))
  } catch (cause) {
    if (mayMiss && cause instanceof StoreError && isErrno(cause.cause, 'ENOENT', 'ENOTDIR')) return undefined
    if (cause instanceof StoreError || cause instanceof LimitError) throw cause
    throw new StoreError('ERR_STORE_FORMAT', `${name} is not valid JSON: ${(cause as Error).message}`, { cause })
  }
}

async function readBounded(path: string, name: string, limit: number): Promise<Buffer> {
  try {
    const file = await withDescriptor(() =>
      open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK),
    )
    try {
      const stats = await file.stat()
      if (!stats.isFile()) throw new StoreError('ERR_STORE_FORMAT', `${name} is not a regular file`)
      if (stats.size > limit) throw new LimitError('bytes', { limit, actual: stats.size, where: name })
      return await file.readFile()
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (isErrno(cause, 'ENOENT', 'ENOTDIR', 'ELOOP')) {
      throw new StoreError('ERR_STORE_FORMAT', `${name} is ${cause.code === 'ELOOP' ? 'a symbolic link' : 'missing'}`, {
        cause,
      })
    }
    return onDisk({ act: 'read', path: name }, () => Promise.reject(cause))
  }
}
