import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import {
  createStreamDigester,
  type DigestAlgorithm,
  type HasherEngine,
  restoreStreamDigester,
  type StreamDigester,
} from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import { isErrno } from '../../internal/errno.ts'
import { makeWay } from '../../internal/link-once.ts'
import { withDescriptor } from '../../internal/with-descriptor.ts'
import type { IngestPlace } from './ingest-place.ts'
import { fileIdentity, type IngestState, readIngestState } from './ingest-state.ts'

/** Hash settings of an ingest. */
export interface Hashing {
  readonly algorithm: DigestAlgorithm
  readonly hasher: HasherEngine
}

/** An open data file and a digester whose state is that at its end. */
export interface OpenData {
  readonly file: FileHandle
  readonly digester: StreamDigester
  readonly identity: string
}

/**
 * Mode of a blob's file. The data of an ingest that cannot be resumed have it from the start: only the writer that
 * creates them writes to them. PERF: a change of the mode is a call through the thread pool.
 */
export const BLOB_MODE = 0o444

const PIECE = 512 * 1024

/** Opens a new, empty data file. */
export async function createData(place: IngestPlace, hashing: Hashing): Promise<OpenData> {
  if (place.state) {
    // The state is removed first: after a crash between the two steps no state may exist beside data that it does not
    // describe.
    await makeWay(place.state)
    await makeWay(place.data)
  }
  const file = await createFile(place)
  return closingOnFailure(file, async () => {
    const identity = place.state ? fileIdentity(await file.stat({ bigint: true })) : ''
    return { file, identity, digester: await createStreamDigester(hashing) }
  })
}

/** Creates the data file of a new ingest; nothing may be in its place. */
export function createFile(place: IngestPlace): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
  const mode = place.state ? 0o600 : BLOB_MODE
  return withDescriptor(() => open(place.data, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode))
}

/** Resumes the ingest of an earlier writer; resolves to `undefined` if its files are missing or invalid. */
export async function resumeData(place: IngestPlace, key: string, hashing: Hashing): Promise<OpenData | undefined> {
  if (!place.state) return undefined
  const state = await readIngestState(place.state, key)
  const file = state && (await openExisting(place.data))
  if (!file) return undefined
  const resumed = await closingOnFailure(file, () => takeUp(file, state, hashing))
  if (!resumed) await file.close()
  return resumed
}

async function openExisting(path: string): Promise<FileHandle | undefined> {
  try {
    return await withDescriptor(() => open(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK))
  } catch (error) {
    // EACCES: the writer died between making the file read-only and publishing it.
    if (isErrno(error, 'ENOENT', 'ELOOP', 'EACCES', 'EISDIR', 'ENXIO')) return undefined
    throw error
  }
}

async function takeUp(file: FileHandle, state: IngestState, hashing: Hashing): Promise<OpenData | undefined> {
  const stats = await file.stat({ bigint: true })
  const identity = fileIdentity(stats)
  // SAFETY: a second hard link means that the file was published before its writer died; a write would change a blob.
  if (!stats.isFile() || stats.nlink !== 1n || stats.size < state.offset || identity !== state.file) return undefined
  const digester = await digesterAt(file, state, hashing)
  if (!digester) return undefined
  try {
    await file.truncate(state.offset)
  } catch (error) {
    digester.release()
    throw error
  }
  return { file, digester, identity }
}

async function digesterAt(file: FileHandle, state: IngestState, hashing: Hashing): Promise<StreamDigester | undefined> {
  const isSame = state.algorithm === hashing.algorithm && hashing.hasher !== 'native'
  if (!state.checkpoint || !isSame) return readBack(file, state.offset, hashing)
  try {
    return await restoreStreamDigester(state.checkpoint)
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}

/** Hashes the first bytes of a file. */
export async function readBack(file: FileHandle, offset: number, hashing: Hashing): Promise<StreamDigester> {
  const digester = await createStreamDigester(hashing)
  const buffer = Buffer.allocUnsafeSlow(PIECE)
  try {
    while (digester.bytesHashed < offset) {
      const wanted = Math.min(PIECE, offset - digester.bytesHashed)
      const { bytesRead } = await file.read(buffer, 0, wanted, digester.bytesHashed)
      await digester.update(buffer.subarray(0, bytesRead))
    }
    return digester
  } catch (error) {
    digester.release()
    throw error
  }
}

async function closingOnFailure<T>(file: FileHandle, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await file.close()
    throw error
  }
}
