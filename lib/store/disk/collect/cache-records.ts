import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDigest } from '../../../digest/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import { settleAll } from '../../../internal/settle-all.ts'
import type { CacheRecord } from '../../collect/collection-driver.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { removeFile } from '../link-once.ts'

/** A record is small; what is larger is none. */
const LIMIT = 4 * 1024 * 1024
const AT_ONCE = 64

/**
 * Every cache record: a file `.layerstore/cache/<directory>/<name>.json`, or one level higher, whose member `blobs` is a list
 * of digests. Its time says when it was last used. Caches are derived data: a record that cannot be read keeps nothing,
 * and whoever reads the cache takes a blob that is gone for a miss.
 */
export async function readCacheRecords({ places }: DiskContext): Promise<CacheRecord[]> {
  return onDisk({ act: 'read', path: '.layerstore/cache' }, async () => {
    const names = await recordNames(places.cache)
    const records: CacheRecord[] = []
    for (let i = 0; i < names.length; i += AT_ONCE) {
      const found = await settleAll(names.slice(i, i + AT_ONCE).map(name => readRecord(places.cache, name)))
      for (const record of found) if (record) records.push(record)
    }
    return records
  })
}

async function recordNames(cache: string, below = '', depth = 0): Promise<string[]> {
  try {
    const names: string[] = []
    for (const entry of await readdir(join(cache, below), { withFileTypes: true })) {
      const name = below ? `${below}/${entry.name}` : entry.name
      if (entry.isFile() && name.endsWith('.json')) names.push(name)
      else if (entry.isDirectory() && depth === 0) names.push(...(await recordNames(cache, name, depth + 1)))
    }
    return names
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

async function readRecord(cache: string, record: string): Promise<CacheRecord | undefined> {
  const path = join(cache, record)
  try {
    const { size, mtimeMs } = await lstat(path)
    if (size > LIMIT) return undefined
    const { blobs } = JSON.parse(await readFile(path, 'utf8')) as { blobs?: unknown }
    if (!Array.isArray(blobs) || !blobs.every(isDigest)) return undefined
    return { record, digests: blobs, modifiedMs: mtimeMs }
  } catch (error) {
    if (isErrno(error, 'ENOENT') || error instanceof SyntaxError || error instanceof TypeError) return undefined
    throw error
  }
}

/** Removes a record unless it was used since. Resolves to whether it went. */
export async function removeCacheRecord({ places }: DiskContext, record: string, modifiedMs: number): Promise<boolean> {
  return onDisk({ act: 'remove', path: `.layerstore/cache/${record}`, writes: true }, async () => {
    const names = await recordNames(places.cache)
    // SAFETY: a plan may come from elsewhere; only what is a record now can be removed.
    if (!names.includes(record)) return false
    const path = join(places.cache, record)
    if ((await lstat(path)).mtimeMs !== modifiedMs) return false
    await removeFile(path)
    return true
  })
}
