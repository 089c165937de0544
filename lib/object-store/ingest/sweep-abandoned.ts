import { type Digest, isDigest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { RunningCollection } from '../announce/running-collection.ts'
import { forgetMarks } from '../blobs/forget-marks.ts'
import { scanBlobObjects } from '../blobs/scan-blob-objects.ts'
import type { ObjectContext } from '../object-context.ts'
import { blobKey, digestIn, Keys } from '../objects/keys.ts'
import type { Bucket, ListedObject } from '../s3/bucket.ts'
import { isFree } from './held-ingest.ts'
import { listIngests } from './list-ingests.ts'

/**
 * Ends what killed processes left: ingests without a writer, multipart uploads without a record, objects that were
 * never copied, and markers and marks of blobs that are gone. Each must be older than the policy of the store says, by
 * the dates of the service.
 */
export async function sweepAbandoned(
  context: ObjectContext,
  running: RunningCollection,
  options: AbortOptions,
): Promise<void> {
  const { bucket, settings } = context
  const isOld = (object: { readonly since: number; readonly serverTime: number }) =>
    object.serverTime - object.since > settings.abandonedMs
  const alive = await sweepIngests(bucket, isOld, options)
  for await (const { key, uploadId, started: since, serverTime } of bucket.listUploads('', options)) {
    if (!alive.targets.has(key) && isOld({ since, serverTime })) await bucket.abortUpload(key, uploadId, options)
  }
  const old: string[] = []
  const collect = ({ key, modified: since, serverTime }: ListedObject) => {
    if (isOld({ since, serverTime })) old.push(key)
  }
  for await (const object of bucket.list(Keys.ingests, options)) {
    if (!alive.folders.has(folderOf(object.key))) collect(object)
  }
  const marks: Digest[] = []
  const onOrphan = (object: ListedObject) => {
    if (!object.key.startsWith(Keys.documents)) return collect(object)
    const document = digestIn(object.key, Keys.documents)
    if (document && isOld({ since: object.modified, serverTime: object.serverTime })) marks.push(document)
  }
  for await (const _ of scanBlobObjects(context, options, onOrphan)) options.signal?.throwIfAborted()
  await bucket.deleteMany(old, options)
  await forgetMarks(context, running, marks)
}

/** Removes old ingests that no process writes; resolves to the keys that the other ingests need. */
async function sweepIngests(
  bucket: Bucket,
  isOld: (object: { readonly since: number; readonly serverTime: number }) => boolean,
  options: AbortOptions,
): Promise<{ targets: Set<string>; folders: Set<string> }> {
  const alive = { targets: new Set<string>(), folders: new Set<string>() }
  for await (const seen of listIngests(bucket, options)) {
    const { facts, record } = seen
    const upload = record?.state?.uploadId ? record.state : undefined
    if (isOld({ since: facts.modified, serverTime: facts.serverTime }) && (await isFree(seen))) {
      if (upload?.uploadId) await bucket.abortUpload(upload.target, upload.uploadId, options)
      await bucket.delete(facts.key, options)
    } else {
      alive.folders.add(folderOf(facts.key))
      // An upload that has begun may not be in the record yet.
      if (isDigest(record?.key)) alive.targets.add(blobKey(record.key))
      alive.targets.add(`${folderOf(facts.key)}/data`)
    }
  }
  return alive
}

function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/'))
}
