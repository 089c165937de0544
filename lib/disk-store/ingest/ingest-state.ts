import type { BigIntStats } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { DIGEST_ALGORITHMS, type DigestAlgorithm, type DigestCheckpoint } from '../../digest/index.ts'
import { removeFile, temporaryName } from '../../internal/link-once.ts'
import { readRecord } from '../../internal/record-file.ts'

/**
 * SAFETY: limits the bytes read into memory; another program may write a larger file. A state has a key of 512
 * characters and a hash state of a few hundred bytes.
 */
const LIMIT = 64 * 1024

/** Progress of an ingest in `state.json`. It never counts bytes that are not synced. */
export interface IngestState {
  readonly version: 1
  readonly key: string
  readonly algorithm: DigestAlgorithm
  /** Number of valid bytes in `data`. */
  readonly offset: number
  /** Identity of the data file: the state does not apply to another file of the same name. */
  readonly file: string
  /** The hasher's state at `offset`; absent if the hasher cannot save it. */
  readonly checkpoint?: DigestCheckpoint | undefined
}

/** Replaces the state. Not synced: a lost or torn state costs a restart, never a wrong blob. */
export async function writeIngestState(path: string, state: IngestState): Promise<void> {
  const temporary = temporaryName(path)
  try {
    await writeFile(temporary, JSON.stringify(state), { flag: 'wx', mode: 0o600 })
    await rename(temporary, path)
  } catch (error) {
    await removeFile(temporary).catch(() => undefined)
    throw error
  }
}

/** The state of an ingest, or `undefined` if there is none or it is invalid. */
export async function readIngestState(path: string, key: string): Promise<IngestState | undefined> {
  const state = await parseState(path)
  const sound =
    state?.version === 1 &&
    state.key === key &&
    Object.hasOwn(DIGEST_ALGORITHMS, state.algorithm) &&
    Number.isSafeInteger(state.offset) &&
    state.offset > 0 &&
    (state.checkpoint === undefined || state.checkpoint?.bytes === state.offset)
  return sound ? state : undefined
}

/** Parses `state.json` without validating its members; `undefined` if it is not an object. */
export async function parseState(path: string): Promise<IngestState | undefined> {
  const found = await readRecord(path, { limit: LIMIT })
  if (found.kind !== 'file') return undefined
  try {
    return (JSON.parse(found.bytes.toString('utf8')) as IngestState | null) ?? undefined
  } catch {
    return undefined
  }
}

/** Identity of a data file. */
export function fileIdentity({ ino, birthtimeNs }: BigIntStats): string {
  return `${ino}-${birthtimeNs}`
}
