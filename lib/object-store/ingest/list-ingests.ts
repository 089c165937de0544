import { type Digest, isDigest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { settleAll } from '../../internal/settle-all.ts'
import type { IngestInfo, IngestOptions, UnfinishedUsage } from '../../store/index.ts'
import type { ObjectContext } from '../object-context.ts'
import { Keys } from '../objects/keys.ts'
import type { Bucket } from '../s3/bucket.ts'
import { ingestId, isFree } from './held-ingest.ts'
import { ingestKeys, readIngestRecord, type SeenIngest } from './ingest-record.ts'

const AT_ONCE = 16

/** Reads the record of every ingest. */
export async function* listIngests(
  bucket: Bucket,
  options: AbortOptions = {},
): AsyncGenerator<SeenIngest, void, undefined> {
  const keys: string[] = []
  for await (const { key } of bucket.list(Keys.ingests, options)) if (key.endsWith('/record.json')) keys.push(key)
  for (let i = 0; i < keys.length; i += AT_ONCE) {
    const found = await settleAll(keys.slice(i, i + AT_ONCE).map(key => readIngestRecord(bucket, key, options)))
    for (const seen of found) if (seen) yield seen
  }
}

/** The digests that ingests expect: operations of this library use the digest as key. */
export async function expectedUploads({ bucket }: ObjectContext, options: AbortOptions): Promise<Digest[]> {
  const digests: Digest[] = []
  for await (const { record } of listIngests(bucket, options)) if (isDigest(record?.key)) digests.push(record.key)
  return digests
}

/** Number and bytes of unfinished ingests: what their records count, and the uploads without a record. */
export async function unfinishedUploads({ bucket }: ObjectContext): Promise<UnfinishedUsage> {
  let [count, bytes] = [0, 0]
  const known = new Set<string>()
  for await (const { record } of listIngests(bucket)) {
    count++
    bytes += record?.state?.offset ?? 0
    if (record?.state?.uploadId) known.add(record.state.uploadId)
  }
  for await (const { key, uploadId } of bucket.listUploads('')) {
    if (known.has(uploadId)) continue
    count++
    bytes += await uploadBytes(bucket, key, uploadId)
  }
  return { count, bytes }
}

async function uploadBytes(bucket: Bucket, key: string, uploadId: string): Promise<number> {
  let bytes = 0
  try {
    for await (const { size } of bucket.listParts(key, uploadId)) bytes += size
  } catch (error) {
    // It has ended meanwhile.
    if ((error as { code?: unknown }).code !== 'ERR_BUCKET_UPLOAD_NOT_FOUND') throw error
  }
  return bytes
}

/** Progress of the ingest of a key. */
export async function statObjectIngest(
  { bucket }: ObjectContext,
  key: string,
  { algorithm = 'sha256', signal }: Omit<IngestOptions, 'wait' | 'hasher'>,
): Promise<IngestInfo | undefined> {
  const seen = await readIngestRecord(bucket, ingestKeys(await ingestId(key)).record, { signal })
  if (!seen) return undefined
  const { state } = seen.record ?? {}
  const offset = state?.algorithm === algorithm && seen.record?.key === key ? state.offset : 0
  const busy = !(await isFree(seen))
  return busy || offset > 0 ? { offset, busy } : undefined
}
