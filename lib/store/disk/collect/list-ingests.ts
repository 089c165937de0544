import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, isDigest } from '../../../digest/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import { settleAll } from '../../../internal/settle-all.ts'
import type { UnfinishedUsage } from '../../collect/collection-driver.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'

/** The digests that ingests expect, as far as their keys say: the acts of this library use the digest as key. */
export async function expectedDigests({ places }: DiskContext): Promise<Digest[]> {
  return onDisk({ act: 'list', path: '.layerstore/ingests' }, async () => {
    const names = await namesIn(places.ingests)
    const keys = await settleAll(names.map(name => keyOf(join(places.ingests, name, 'state.json'))))
    return keys.filter(isDigest)
  })
}

async function keyOf(path: string): Promise<unknown> {
  try {
    return (JSON.parse(await readFile(path, 'utf8')) as { key?: unknown } | null)?.key
  } catch (error) {
    // An ingest without a state has no bytes that would be missed; one with a broken state begins anew.
    if (isErrno(error, 'ENOENT', 'ENOTDIR') || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Ingests that have not come to their end, and their bytes. */
export async function unfinishedUsage({ places }: DiskContext): Promise<UnfinishedUsage> {
  return onDisk({ act: 'list', path: '.layerstore/ingests' }, async () => {
    let [count, bytes] = [0, 0]
    for (const directory of await namesIn(places.ingests)) {
      const files = (await namesIn(join(places.ingests, directory))).filter(name => !name.endsWith('.json'))
      for (const file of files) {
        const size = await sizeOf(join(places.ingests, directory, file))
        if (size === undefined) continue
        count++
        bytes += size
      }
    }
    return { count, bytes }
  })
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).size
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}
