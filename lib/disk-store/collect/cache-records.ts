import { lstat, readdir } from 'node:fs/promises'
import { isDigest } from '../../digest/index.ts'
import { isErrno } from '../../internal/errno.ts'
import { removeFile } from '../../internal/link-once.ts'
import { readRecord } from '../../internal/record-file.ts'
import { settleAll } from '../../internal/settle-all.ts'
import type { CacheRecord } from '../../store/index.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import type { Places } from '../places/places.ts'

const CACHE = '.layerstore/cache'
/** Maximum size of a record in bytes; a larger file is not a record. */
const LIMIT = 4 * 1024 * 1024
const AT_ONCE = 64

/**
 * Reads every cache record: a file `.layerstore/cache/<directory>/<name>.json`, or one level higher, whose member
 * `blobs` is a list of digests. Its modification time is the time of its last use. Caches are derived data: an
 * unreadable record keeps nothing, and a reader of the cache treats a missing blob as a cache miss.
 */
export async function readCacheRecords({ places }: DiskContext): Promise<CacheRecord[]> {
  return onDisk({ act: 'read', path: '.layerstore/cache' }, async () => {
    const names = await recordNames(places)
    const records: CacheRecord[] = []
    for (let i = 0; i < names.length; i += AT_ONCE) {
      const found = await settleAll(names.slice(i, i + AT_ONCE).map(name => readCacheRecord(places, name)))
      for (const record of found) if (record) records.push(record)
    }
    return records
  })
}

async function recordNames(places: Places, below = '', depth = 0): Promise<string[]> {
  try {
    const names: string[] = []
    for (const entry of await readdir(places.directory(CACHE + below), { withFileTypes: true })) {
      const name = below ? `${below.slice(1)}/${entry.name}` : entry.name
      if (entry.isFile() && name.endsWith('.json')) names.push(name)
      else if (entry.isDirectory() && depth === 0) names.push(...(await recordNames(places, `/${name}`, depth + 1)))
    }
    return names
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

async function readCacheRecord(places: Places, record: string): Promise<CacheRecord | undefined> {
  const found = await readRecord(places.file(`${CACHE}/${record}`), { limit: LIMIT, begins: /^\s*\{/ })
  if (found.kind !== 'file') return undefined
  try {
    const { blobs } = JSON.parse(found.bytes.toString('utf8')) as { blobs?: unknown }
    if (!Array.isArray(blobs) || !blobs.every(isDigest)) return undefined
    return { record, digests: blobs, modifiedMs: found.stats.mtimeMs }
  } catch {
    return undefined
  }
}

/** Removes a record unless it was used meanwhile. Resolves to whether it was removed. */
export async function removeCacheRecord({ places }: DiskContext, record: string, modifiedMs: number): Promise<boolean> {
  return onDisk({ act: 'remove', path: `${CACHE}/${record}`, writes: true }, async () => {
    const names = await recordNames(places)
    // SAFETY: a stored plan may name any path; only a path that is listed as a record now is removed.
    if (!names.includes(record)) return false
    const path = places.file(`${CACHE}/${record}`)
    if ((await lstat(path)).mtimeMs !== modifiedMs) return false
    await removeFile(path)
    return true
  })
}
