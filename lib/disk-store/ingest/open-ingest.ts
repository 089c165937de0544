import { join } from 'node:path'
import { digestOf, splitDigest } from '../../digest/index.ts'
import { isErrno } from '../../internal/errno.ts'
import { ensureDirectory, removeEmpty } from '../../internal/link-once.ts'
import { acquireLock, type Lock, tryLock } from '../../internal/locks/lock.ts'
import type { IngestOptions, IngestWriterParts } from '../../store/index.ts'
import { ingestBusy } from '../../store/index.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { DiskSink } from './disk-sink.ts'
import { keyedPlace } from './ingest-place.ts'
import { createData, resumeData } from './open-data.ts'

/** Opens the ingest of a key with a lock across all processes, and resumes an earlier writer. */
export async function openIngest(
  context: DiskContext,
  key: string,
  options: IngestOptions,
): Promise<Omit<IngestWriterParts, 'onClosed'>> {
  const hashing = { algorithm: options.algorithm ?? 'sha256', hasher: options.hasher ?? context.settings.hasher }
  const name = `.layerstore/ingests/${await ingestDirectory(key)}`
  const what = { act: 'open', path: name, writes: true }
  const lock = await onDisk(what, () => own(context, name, key, options))
  const place = keyedPlace(context.places, name, lock)
  try {
    const data = await onDisk(what, async () => {
      const resumed = await resumeData(place, key, hashing)
      return resumed ?? createData(place, hashing)
    })
    const { digester, identity, file } = data
    const ingest = { place, key, algorithm: hashing.algorithm, identity, offset: digester.bytesHashed }
    return { ...hashing, digester, sink: new DiskSink(context, ingest, file) }
  } catch (error) {
    await place.release().catch(() => undefined)
    throw error
  }
}

/**
 * SAFETY: a key may contain path separators, and two keys may differ only in case, which some file systems ignore; a
 * hash of the key gives each its own safe directory name.
 */
export async function ingestDirectory(key: string): Promise<string> {
  return splitDigest(await digestOf(Buffer.from(key, 'utf8'))).hex
}

async function own(context: DiskContext, name: string, key: string, options: IngestOptions): Promise<Lock> {
  const { places } = context
  const path = () => join(places.directory(name), 'owner.json')
  for (;;) {
    options.signal?.throwIfAborted()
    await ensureDirectory(places.directory(name), 0o700)
    try {
      if (options.wait) return await acquireLock(path, context.waiting(`${name}/owner.json`, options))
      const taken = await tryLock(path)
      if (!('holder' in taken)) return taken
      throw ingestBusy(key, taken.holder)
    } catch (error) {
      // The previous writer has just removed its directory.
      if (isErrno(error, 'ENOENT')) continue
      await removeEmpty(places.directory(name)).catch(() => undefined)
      throw error
    }
  }
}
