import { DIGEST_ALGORITHMS, type DigestAlgorithm, type DigestCheckpoint } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Owner } from '../../internal/locks/owner.ts'
import { ownerIn } from '../objects/holder.ts'
import { Keys } from '../objects/keys.ts'
import { jsonIn, readObject } from '../objects/read-object.ts'
import type { Bucket, ObjectFacts } from '../s3/bucket.ts'

/** SAFETY: limits the bytes read into memory; another program may write a larger object. */
const MOST_BYTES = 64 * 1024

/** Progress of an ingest. It counts only bytes that the service has acknowledged. */
export interface UploadState {
  readonly algorithm: DigestAlgorithm
  /** Bytes of the parts and of the tail. */
  readonly offset: number
  /** Key of the upload. */
  readonly target: string
  /** Upload that has the parts; `null` if there are none. */
  readonly uploadId: string | null
  /** Number of parts, from the first one. */
  readonly parts: number
  /** Their bytes. The rest is in the object of the tail: a part has at least 5 MiB. */
  readonly partBytes: number
  /** The hasher's state at `offset`; absent if the hasher cannot save it. */
  readonly checkpoint?: DigestCheckpoint | undefined
}

/** Content of the record of an ingest. */
export interface IngestRecord {
  readonly version: 1
  readonly key: string
  /** Process that writes; `null` if none does. */
  readonly owner: Owner | null
  /** `null` before the first progress is saved. */
  readonly state: UploadState | null
}

/** A record as it was read. */
export interface SeenIngest {
  /** `undefined` if it is damaged: the ingest starts anew. */
  readonly record: IngestRecord | undefined
  readonly facts: ObjectFacts
}

/** Keys of one ingest, by the SHA-256 of its key: a key of 512 characters may hold any of them. */
export function ingestKeys(id: string) {
  const folder = `${Keys.ingests}${id}/`
  return {
    folder,
    record: `${folder}record.json`,
    /** Bytes of a blob whose digest is not known yet. */
    data: `${folder}data`,
    tail: (offset: number) => `${folder}tail-${offset}`,
  }
}

/** Keys of one ingest. */
export type IngestKeys = ReturnType<typeof ingestKeys>

/** Reads a record; `undefined` if there is none. */
export async function readIngestRecord(
  bucket: Bucket,
  key: string,
  options: AbortOptions = {},
): Promise<SeenIngest | undefined> {
  const found = await readObject(bucket, key, MOST_BYTES, options)
  return found && { record: parse(jsonIn(found.bytes)), facts: found.facts }
}

function parse(value: Record<string, unknown> | undefined): IngestRecord | undefined {
  const { version, key, owner, state } = value ?? {}
  const holder = owner === null ? null : ownerIn(owner)
  if (version !== 1 || typeof key !== 'string' || holder === undefined) return undefined
  return { version, key, owner: holder, state: isState(state) ? state : null }
}

function isState(value: unknown): value is UploadState {
  const { algorithm, offset, target, uploadId, parts, partBytes, checkpoint } = (value ?? {}) as Partial<UploadState>
  const counts = [offset, parts, partBytes].every(count => Number.isSafeInteger(count) && (count as number) >= 0)
  return (
    counts &&
    Object.hasOwn(DIGEST_ALGORITHMS, algorithm ?? '') &&
    typeof target === 'string' &&
    (uploadId === null ? parts === 0 : typeof uploadId === 'string') &&
    (partBytes as number) <= (offset as number) &&
    (checkpoint === undefined || checkpoint?.bytes === offset)
  )
}
