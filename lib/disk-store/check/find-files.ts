import type { Stats } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { DIGEST_ALGORITHMS, isDigest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { isErrno } from '../../internal/errno.ts'
import { describeKind } from '../../internal/record-file.ts'
import type { FoundFile } from '../../store/index.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'

/** Entries that belong to a store, in its directories. */
const OWN_ROOT = ['oci-layout', 'index.json', 'blobs', '.layerstore']
const OWN_PART = [
  'format.json',
  'ingests',
  'facts',
  'indexes',
  'leases',
  'locks',
  'quarantine',
  'snapshots',
  'containers',
  'cache',
  'trash',
  'removals',
  'ballast',
  'unsynced',
]
/** PERF: the number of look-ups of {@link listBlobs}. */
const AT_ONCE = 64

/** Lists everything below `blobs/`, and stray entries beside it. */
export async function* findFiles(
  context: DiskContext,
  options: AbortOptions,
): AsyncGenerator<FoundFile, void, undefined> {
  yield* straysIn(context, '.', OWN_ROOT)
  yield* straysIn(context, '.layerstore', OWN_PART)
  yield* straysIn(context, 'blobs', Object.keys(DIGEST_ALGORITHMS))
  for (const algorithm of Object.keys(DIGEST_ALGORITHMS)) {
    let names: string[] = []
    for await (const name of namesIn(context, `blobs/${algorithm}`)) {
      options.signal?.throwIfAborted()
      names.push(name)
      if (names.length < AT_ONCE) continue
      yield* await lookAt(context, algorithm, names)
      names = []
    }
    yield* await lookAt(context, algorithm, names)
  }
}

async function* straysIn(
  context: DiskContext,
  directory: string,
  own: readonly string[],
): AsyncGenerator<FoundFile, void, undefined> {
  for await (const name of namesIn(context, directory)) {
    // A temporary file of this library: about to be renamed, or left by a killed process. The sweep removes it.
    if (own.includes(name) || /\.\d+-[0-9a-f]{12,16}\.tmp$/.test(name)) continue
    const path = directory === '.' ? name : `${directory}/${name}`
    const stats = await statsOf(context, path)
    if (stats) yield { kind: 'stray', path, actual: describeKind(stats) }
  }
}

async function lookAt(context: DiskContext, algorithm: string, names: readonly string[]): Promise<FoundFile[]> {
  const found = await Promise.all(names.map(name => fileAt(context, algorithm, name)))
  return found.filter(file => file !== undefined)
}

async function fileAt(context: DiskContext, algorithm: string, name: string): Promise<FoundFile | undefined> {
  const path = `blobs/${algorithm}/${name}`
  const stats = await statsOf(context, path)
  if (!stats) return undefined
  const digest = `${algorithm}:${name}`
  if (!isDigest(digest)) return { kind: 'stray', path, actual: describeKind(stats) }
  if (!stats.isFile()) return { kind: 'odd', digest, path, actual: describeKind(stats) }
  return { kind: 'blob', digest, path, size: stats.size }
}

async function statsOf({ places }: DiskContext, path: string): Promise<Stats | undefined> {
  return onDisk({ act: 'look at', path }, async () => {
    try {
      return await lstat(places.file(path))
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined
      throw error
    }
  })
}

async function* namesIn({ places }: DiskContext, path: string): AsyncGenerator<string, void, undefined> {
  const directory = await onDisk({ act: 'list', path }, () =>
    openIfThere(path === '.' ? places.root : places.directory(path)),
  )
  if (!directory) return
  try {
    for (;;) {
      const entry = await onDisk({ act: 'list', path }, () => directory.read())
      if (!entry) return
      yield entry.name
    }
  } finally {
    await directory.close()
  }
}

async function openIfThere(path: string) {
  try {
    return await opendir(path, { bufferSize: 1024 })
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}
