import type { BigIntStats } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { DIGEST_ALGORITHMS, type DigestAlgorithm, type DigestCheckpoint } from '../../digest/index.ts'
import { removeFile, temporaryName } from '../link-once.ts'
import { readRecord } from '../places/record-file.ts'

/** SAFETY: bounds what is read into memory; a state has a key of 512 characters and a saved hash state of some hundred bytes. */
const LIMIT = 64 * 1024

/** How far an ingest has come, as `state.json` says it. Never ahead of the bytes that are on disk for certain. */
export interface IngestState {
  readonly version: 1
  readonly key: string
  readonly algorithm: DigestAlgorithm
  /** Bytes of `data` that count. */
  readonly offset: number
  /** Identity of the data file: a state says nothing about another file of the same name. */
  readonly file: string
  /** The hasher's state at `offset`; absent where the hasher has none to save. */
  readonly checkpoint?: DigestCheckpoint | undefined
}

/** Replaces the state. Not synced itself: a lost or torn state costs a restart, never a wrong blob. */
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

/** The state of an ingest, or `undefined` if there is none or it cannot be trusted. */
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

/** What `state.json` says, its members not proven; `undefined` if it says nothing. */
export async function parseState(path: string): Promise<IngestState | undefined> {
  const found = await readRecord(path, { limit: LIMIT })
  if (found.kind !== 'file') return undefined
  try {
    return (JSON.parse(found.bytes.toString('utf8')) as IngestState | null) ?? undefined
  } catch {
    return undefined
  }
}

/** What tells a data file from every other one. */
export function fileIdentity({ ino, birthtimeNs }: BigIntStats): string {
  return `${ino}-${birthtimeNs}`
}
