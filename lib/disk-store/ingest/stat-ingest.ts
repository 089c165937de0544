import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DigestAlgorithm } from '../../digest/index.ts'
import { isErrno } from '../../internal/errno.ts'
import { isLocked } from '../../internal/locks/lock.ts'
import type { IngestInfo } from '../../store/index.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { readIngestState } from './ingest-state.ts'
import { ingestDirectory } from './open-ingest.ts'

/** Reads the progress of an ingest from its files; takes no lock and changes nothing. */
export async function statIngest(
  context: DiskContext,
  key: string,
  algorithm: DigestAlgorithm,
): Promise<IngestInfo | undefined> {
  const name = `.layerstore/ingests/${await ingestDirectory(key)}`
  return onDisk({ act: 'look at', path: name }, async () => {
    const directory = context.places.directory(name)
    const busy = await isLocked(join(directory, 'owner.json'))
    const state = await readIngestState(join(directory, 'state.json'), key)
    const offset =
      state?.algorithm === algorithm && (await sizeOf(join(directory, 'data'))) >= state.offset ? state.offset : 0
    return busy || offset > 0 ? { offset, busy } : undefined
  })
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await lstat(path)).size
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return 0
    throw error
  }
}
