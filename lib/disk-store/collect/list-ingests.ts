import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, isDigest } from '../../digest/index.ts'
import { StoreError } from '../../errors/index.ts'
import { isErrno } from '../../internal/errno.ts'
import { settleAll } from '../../internal/settle-all.ts'
import type { UnfinishedUsage } from '../../store/index.ts'
import type { DiskContext } from '../disk-context.ts'
import { parseState } from '../ingest/ingest-state.ts'
import { onDisk } from '../io-error.ts'
import type { Places } from '../places/places.ts'

const INGESTS = '.layerstore/ingests'

/** The digests that ingests expect: operations of this library use the digest as key. */
export async function expectedDigests({ places }: DiskContext): Promise<Digest[]> {
  return onDisk({ act: 'list', path: INGESTS }, async () => {
    const keys = await settleAll((await namesIn(places.ingests)).map(name => keyOf(places, name)))
    return keys.filter(isDigest)
  })
}

async function keyOf(places: Places, name: string): Promise<unknown> {
  const directory = ingestIn(places, name)
  try {
    // An ingest without a state has no bytes worth keeping; one with an invalid state starts anew.
    return directory && (await parseState(join(directory, 'state.json')))?.key
  } catch (error) {
    // The ingest belongs to another user.
    if (isErrno(error, 'EACCES', 'EPERM')) return undefined
    throw error
  }
}

/** Number and total size of unfinished ingests. */
export async function unfinishedUsage({ places }: DiskContext): Promise<UnfinishedUsage> {
  return onDisk({ act: 'list', path: INGESTS }, async () => {
    let [count, bytes] = [0, 0]
    for (const name of await namesIn(places.ingests)) {
      const directory = ingestIn(places, name)
      if (directory === undefined) continue
      // Ingests of another user are unreadable and are not counted.
      const files = await namesIn(directory, 'EACCES', 'EPERM')
      for (const file of files.filter(file => !file.endsWith('.json'))) {
        const size = await sizeOf(join(directory, file))
        if (size === undefined) continue
        count++
        bytes += size
      }
    }
    return { count, bytes }
  })
}

/** SAFETY: a symbolic link among the ingests could lead out of the store; it is not an ingest. */
function ingestIn(places: Places, name: string): string | undefined {
  try {
    return places.directory(`${INGESTS}/${name}`)
  } catch (error) {
    if (error instanceof StoreError && error.code === 'ERR_STORE_FORMAT') return undefined
    throw error
  }
}

async function namesIn(path: string, ...passed: string[]): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', ...passed)) return []
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
